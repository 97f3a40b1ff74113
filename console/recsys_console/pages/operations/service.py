"""The processes of the service: workers, store, health, methods and slow requests."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.records import MinuteFigures, ServiceStatus, SlowRequests
from recsys_console.pages.operations.rights import lacking
from recsys_console.rendering.responses import respond
from recsys_console.security.requests import CurrentSession
from recsys_console.service.connection import Service

router = APIRouter()
MINUTES = 60


@dataclass(frozen=True)
class MethodRow:
    """A method that was called in the last hour.

    Attributes:
        name: Name.
        calls: Number of calls.
        failed: Number of calls that failed.
        statuses: Number of failed calls by status.
        latency_p50: Median latency in seconds, weighted by calls; None without an answered call.
        latency_p99: Largest 99th percentile of a minute, or None.
        calls_per_minute: Number of calls in each minute.
    """

    name: str
    calls: int
    failed: int
    statuses: tuple[tuple[str, int], ...]
    latency_p50: float | None
    latency_p99: float | None
    calls_per_minute: tuple[float, ...]


@dataclass(frozen=True)
class ServicePage:
    """The view model of the page of the service.

    Attributes:
        status: State of the service.
        methods: Methods that were called in the last hour, those with most calls first.
    """

    status: ServiceStatus
    methods: tuple[MethodRow, ...]


@dataclass(frozen=True)
class SlowPage:
    """The view model of the page of slow requests.

    Attributes:
        found: The requests; None where the token may not see them.
        lacks: Reason why it may not, or "".
    """

    found: SlowRequests | None
    lacks: str = ""


async def service_page(service: AsyncRecsysClient) -> ServicePage:
    """The state of a service, and its methods."""
    status, minutes = await asyncio.gather(service.get_status(), service.get_time_series(MINUTES))
    return ServicePage(status, methods_of(minutes))


def methods_of(minutes: Sequence[MinuteFigures]) -> tuple[MethodRow, ...]:
    """The methods of consecutive minutes."""
    names = {each.method for minute in minutes for each in minute.methods}
    rows = [_row(name, minutes) for name in names]
    return tuple(sorted(rows, key=lambda row: (-row.calls, row.name)))


def _row(name: str, minutes: Sequence[MinuteFigures]) -> MethodRow:
    found = [{each.method: each for each in minute.methods}.get(name) for minute in minutes]
    called = [each for each in found if each is not None]
    statuses: dict[str, int] = defaultdict(int)
    for each in called:
        for status, count in each.errors.items():
            statuses[status] += count
    answered = [each for each in called if each.latency_p99]
    weight = sum(each.calls for each in answered)
    return MethodRow(
        name,
        sum(each.calls for each in called),
        sum(statuses.values()),
        tuple(sorted(statuses.items())),
        sum(each.latency_p50 * each.calls for each in answered) / weight if weight else None,
        max((each.latency_p99 for each in answered), default=None),
        tuple(float(each.calls) if each is not None else 0.0 for each in found),
    )


@router.get("/operations/service")
async def show_service(request: Request, service: Service) -> Response:
    """Show workers, store, health and methods."""
    view = await service_page(service)
    return respond(request, "operations/service.html", view, block="state")


@router.get("/operations/slow")
async def show_slow_requests(
    request: Request, service: Service, session: CurrentSession
) -> Response:
    """Show the last slow requests."""
    lacks = lacking(session, "operations", "admin")
    view = SlowPage(None if lacks else await service.list_slow_requests(), lacks)
    return respond(request, "operations/slow.html", view, block="state")
