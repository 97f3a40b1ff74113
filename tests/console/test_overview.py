"""The overview: figures, plots, alerts, and a service that does not show its state."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from recsys_client.errors import PermissionDeniedError, ServiceError
from recsys_client.records import (
    Alert,
    AuditStatus,
    Description,
    IndexStatus,
    MinuteFigures,
    ServedBundle,
    ServiceStatus,
    SpaceSummary,
    WorkerStatus,
)
from recsys_console.pages.overview.page import overview
from recsys_console.pages.overview.traffic import totals_of, traffic_of
from tests.console.console_world import Browser

MINUTES = [
    MinuteFigures(0, 30.0, calls=30, latency_p50=0.1, latency_p99=0.3, interactions=2),
    MinuteFigures(60, 60.0, calls=10, errors={"NOT_FOUND": 3, "RESOURCE_EXHAUSTED": 2}, refused=2),
    MinuteFigures(120, 60.0),
]
STATUS = ServiceStatus(
    "0.1.0",
    0,
    90.0,
    ServedBundle("v1"),
    workers=(WorkerStatus(0, 1, "ready", lag_seconds=2.0), WorkerStatus(1, 2, "starting")),
    indexes=(IndexStatus("active", "text", 4, delta_items=3), IndexStatus("canary", "text", 9)),
    audits=(AuditStatus("active", "text", "plain", 0.9, recall_target=0.99, drifting=True),),
    alerts=(Alert("RecallDrifts", "critical", "Recall fell.", "Build the index again."),),
)


class FixedService:
    """A service with one space, a state and two and a half minutes of traffic."""

    def __init__(self, *, fails: Exception | None = None, status: ServiceStatus = STATUS) -> None:
        self.fails, self.status = fails, status

    async def describe(self) -> Description:
        return Description("v1", 7, 4, 2, spaces=(SpaceSummary("text", 2, 4, ("terms",)),))

    async def get_status(self) -> ServiceStatus:
        if self.fails is not None:
            raise self.fails
        return self.status

    async def get_time_series(self, minutes: int) -> list[MinuteFigures]:
        return MINUTES


def test_minutes_are_rates_with_failed_and_refused_calls() -> None:
    traffic = traffic_of(MINUTES, 4)
    assert traffic.begins_at == (-60, 0, 60, 120)
    assert traffic.interactions == (0, 4, 0, 0) and traffic.answered == (0, 60, 5, 0)
    assert traffic.failed == (0, 0, 3, 0) and traffic.refused == (0, 0, 2, 0)
    assert traffic.latency_p50 == (None, 0.1, None, None)
    assert len(traffic_of(MINUTES, 360).begins_at) == 60
    assert traffic_of(MINUTES, 360).interactions[-1] == pytest.approx(60 * 2 / 150)
    assert traffic_of([], 60).begins_at == ()


def test_totals_are_rates_of_the_covered_seconds() -> None:
    totals = totals_of(MINUTES)
    assert totals.interactions_per_hour == pytest.approx(2 * 3600 / 150)
    assert totals.calls_per_second == pytest.approx(40 / 150)
    assert totals.failed_share == pytest.approx(5 / 40)
    assert (totals.latency_p50, totals.latency_p99) == (0.1, 0.3)
    assert totals_of([]).failed_share is None


def test_spaces_have_their_index_and_audit_of_the_active_bundle() -> None:
    view = asyncio.run(overview(FixedService(), 60))  # type: ignore[arg-type]
    assert view.spaces[0].index == STATUS.indexes[0] and view.spaces[0].audits == STATUS.audits
    assert (view.lag_seconds, view.lag_changes) == (2.0, 0) and not view.fault


def test_without_the_state_the_figures_and_the_reason_are_shown() -> None:
    refused = FixedService(fails=PermissionDeniedError("the token lacks a scope"))
    view = asyncio.run(overview(refused, 60))  # type: ignore[arg-type]
    assert view.status is None and view.fault == "the token lacks a scope"
    assert view.description.items == 4 and view.lag_seconds == 0.0


def test_a_service_that_is_gone_is_an_error() -> None:
    class Gone(FixedService):
        async def describe(self) -> Description:
            raise ServiceError("it is gone")

    with pytest.raises(ServiceError, match="gone"):
        asyncio.run(overview(Gone(), 60))  # type: ignore[arg-type]


def test_the_page_shows_figures_plots_and_alerts_with_their_actions(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = browser.page("/?minutes=360")
    for text in ("Interactions per minute", "Calls per minute", "Latency", "Workers", "Spaces"):
        assert text in page
    assert browser.data("/")["minutes"] == 60
    part = browser.page("/", htmx=True)
    assert "<nav" not in part and "figures" in part
    browser.page("/?minutes=361", status=400)
    client = browser.client.app.state.console.client  # type: ignore[attr-defined]
    shown = replace(STATUS, workers_replaced=3)

    async def status(self: object) -> ServiceStatus:
        return shown

    monkeypatch.setattr(type(client), "get_status", status)
    page = browser.page("/")
    for text in ("Recall fell.", "Build the index again.", "RecallDrifts", "3 replaced", "90%"):
        assert text in page
