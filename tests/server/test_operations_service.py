"""``OperationsService``: the state of all workers, figures per minute, alerts and tokens."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import (
    ConfigError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RecsysError,
    ServiceError,
    UnauthenticatedError,
)
from recsys.live import LiveEngine
from recsys.store import open_store
from recsys_client import AsyncRecsysClient, Interaction, Item, RecsysClient
from recsys_client.records import ServiceStatus
from recsys_server.metrics.observation import Observation
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.operations import overview
from recsys_server.operations.alerts import ALERTS, AlertState, Figures, prometheus_rules
from recsys_server.operations.configuration import shown_settings
from recsys_server.operations.messages import status_message
from recsys_server.operations.record import ServiceRecord
from recsys_server.operations.series import Minute, MinuteSeries, quantile
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from recsys_server.security import access as access_module
from recsys_server.security.access import Access, required_scope
from recsys_server.security.tokens import create_token
from recsys_server.settings import load_settings
from tests.live.world import made_parts
from tests.server.service_world import WAIT, LineRetriever, served, until

METHODS = ("GetStatus", "GetTimeSeries", "ListSlowRequests", "GetConfiguration", "ListTokens")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecsysClient]:
    """A client of a service with a store that lists every request as slow."""
    with ExitStack() as stack:
        store = stack.enter_context(open_store(tmp_path_factory.mktemp("store") / "store.db"))
        engine = stack.enter_context(LiveEngine(made_parts(), store))
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
        server = stack.enter_context(
            served(Rollout(Deployment(loaded)), observation=Observation(slow=1e-9))
        )
        yield stack.enter_context(RecsysClient(server.address, timeout=WAIT))


def test_the_status_counts_recorded_changes(live: RecsysClient) -> None:
    before = live.get_status()
    live.record_interactions([Interaction("new", "i4", 100), Interaction("new", "gone", 200)])
    live.upsert_items([Item("n1", title="A lamp", vectors={"text": (1.0, 2.0)})])
    after = live.get_status()
    assert after.users == before.users + 1 and after.items == before.items + 1
    assert after.interactions == before.interactions + 2
    assert after.store is not None and before.store is not None
    assert after.store.watermark == before.store.watermark + 3
    assert (after.store.backend, after.store.readable) == ("sqlite", True)
    (worker,) = after.workers
    assert (worker.state, worker.bundle_version) == ("ready", "v3") and worker.memory_bytes > 1e6
    assert worker.calls >= 3 and worker.watermark == after.store.watermark
    assert {each.space: each.delta_items for each in after.indexes}["text"] == 1
    assert all(each.recall_target == 1.0 for each in after.indexes)
    assert after.active.version == "v3" and after.canary is None and after.active.share == 1.0
    assert {each.name for each in after.services} == set(live.describe().services)
    assert all(each.workers_serving == 1 and not each.fault for each in after.services)
    assert after.alerts == () and after.audits == ()


def test_both_clients_see_the_figures_and_the_slow_requests(live: RecsysClient) -> None:
    live.record_interactions([Interaction("new", "i4", 300)])
    with pytest.raises(RecsysError):
        live.retrieve(user_id="nobody", k=3)

    async def calls() -> tuple[ServiceStatus, Any, Any]:
        async with AsyncRecsysClient(live.address, timeout=WAIT) as other:
            return (
                await other.get_status(),
                await other.get_time_series(5),
                await other.list_slow_requests(),
            )

    def failed() -> bool:
        return live.get_time_series(1)[-1].errors.get("NOT_FOUND", 0) > 0

    until(failed)
    status, minutes, slow = asyncio.run(calls())
    assert status.version == live.get_status().version
    now = added_minutes(minutes)
    assert now["interactions"] >= 1 and now["calls"] >= 4
    methods = {each.method: each for minute in minutes for each in minute.methods}
    assert methods["Retrieve"].errors == {"NOT_FOUND": 1}
    assert (
        0 < methods["RecordInteractions"].latency_p50 <= methods["RecordInteractions"].latency_p99
    )
    assert slow.threshold == 1e-9
    assert {"RecordInteractions", "Retrieve"} <= {each.method for each in slow.requests}
    assert all(each.request_id for each in slow.requests)
    assert not any(name in str((status, minutes, slow)) for name in ("nobody", "'new'"))
    assert len(live.list_slow_requests(1).requests) == 1
    for wrong in (0, 361, -1):
        if wrong:
            with pytest.raises(InvalidRequestError, match="minutes must be from 1 to 360"):
                live.get_time_series(wrong)


def added_minutes(minutes: Any) -> dict[str, int]:
    return {
        name: sum(getattr(each, name) for each in minutes) for name in ("calls", "interactions")
    }


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    monkeypatch.setattr(access_module, "RELOAD_SECONDS", 0.0)
    file = tmp_path / "tokens.json"
    create_token(file, "reader", scopes=("read",))
    observation = Observation(slow=1e-9)
    with served(LineRetriever(), access=Access(file), observation=observation) as server:
        yield server.address, file


def test_tokens_are_listed_created_and_revoked(guarded: tuple[str, Path]) -> None:
    address, file = guarded
    secret = create_token(file, "root", scopes=("read", "admin"))
    with RecsysClient(address, timeout=WAIT, token=secret) as client:
        made = client.create_token("web", ["read"], expires_at=4_000_000_000, rate="5/second")
        assert made.secret not in file.read_text() and made.secret not in repr(made)
        assert made.token in client.list_tokens()
        assert [(each.name, each.current) for each in client.list_tokens()] == [
            ("reader", False),
            ("root", True),
            ("web", False),
        ]
        with RecsysClient(address, timeout=WAIT, token=made.secret) as other:
            assert other.get_status().workers
            assert client.revoke_token("web") == made.token
            with pytest.raises(UnauthenticatedError):
                other.get_status()
        assert {each.caller for each in client.list_slow_requests().requests} >= {"root", "web"}
        with pytest.raises(NotFoundError, match="no token 'web'"):
            client.revoke_token("web")
        with pytest.raises(InvalidRequestError, match="root is the token of this call"):
            client.revoke_token("root")
        with pytest.raises(InvalidRequestError, match="expires_at must be in the future"):
            client.create_token("old", ["read"], expires_at=5)
        with pytest.raises(InvalidRequestError, match="there is a token 'reader'"):
            client.create_token("reader", ["read"])
        with pytest.raises(InvalidRequestError, match="must be one of read, write, admin"):
            client.create_token("x", ["everything"])


def test_a_token_gives_no_scope_that_it_lacks(guarded: tuple[str, Path]) -> None:
    address, file = guarded
    secret = create_token(file, "office", scopes=("operations:admin", "read"))
    with RecsysClient(address, timeout=WAIT, token=secret) as client:
        assert client.create_token("a", ["read", "catalog:read"]).token.scopes == (
            *("read", "catalog:read"),
        )
        for wrong in ("admin", "write", "catalog:admin"):
            with pytest.raises(PermissionDeniedError, match="cannot give"):
                client.create_token("b", ["read", wrong])


def test_readers_see_the_status_only(guarded: tuple[str, Path]) -> None:
    address, file = guarded
    secret = create_token(file, "viewer", scopes=("operations:read",))
    with RecsysClient(address, timeout=WAIT, token=secret) as client:
        status = client.get_status()
        assert status.workers and client.get_time_series()
        assert status.caller is not None and status.caller.name == "viewer"
        assert status.may("operations", "read") and not status.may("catalog", "read")
        for call in (client.list_slow_requests, client.get_configuration, client.list_tokens):
            with pytest.raises(PermissionDeniedError, match="lacks the scope 'admin'"):
                call()
    scopes = [required_scope(f"/recsys.v1.OperationsService/{name}") for name in METHODS]
    assert scopes == [("operations", each) for each in ("read", "read", *["admin"] * 3)]


def test_a_service_without_tokens_says_so(live: RecsysClient) -> None:
    for call in (live.list_tokens, lambda: live.revoke_token("a")):
        with pytest.raises(ConfigError, match="start it with --tokens FILE"):
            call()


def test_minutes_are_differences_and_bounded() -> None:
    series = MinuteSeries(now=30.0, most=3)
    total: dict[str, Any] = {"numbers": [], "histograms": []}
    for minute in range(1, 9):
        total = {
            "numbers": [["recsys_calls", ["Retrieve", "OK"], minute**2], ["recsys_items", [], 4]],
            "histograms": [["recsys_call_seconds", ["Retrieve"], [minute, 0, 1], 0.5]],
        }
        series.observe(total, now=60.0 * minute)
    found = series.figures(total, now=490.0, most=10)
    assert [(each["begins_at"], each["seconds"], each["calls"]) for each in found] == [
        *[(360, 60.0, 13), (420, 60.0, 15)],
        (480, 10.0, 0),
    ]
    (method,) = found[0]["methods"]
    assert method["method"] == "Retrieve" and 0 < method["latency_p99_seconds"] <= 0.0005
    assert series.figures(total, now=490.0, most=1) == found[-1:]
    assert series.recent(total, now=490.0).numbers == {("recsys_calls", ("Retrieve", "OK")): 55}


def test_quantiles_are_interpolated() -> None:
    assert quantile((1.0, 2.0), (0, 0, 0), 0.5) == 0.0 == quantile((1.0,), (), 0.5)
    assert quantile((1.0, 2.0), (4, 0, 0), 0.5) == 0.5
    assert quantile((1.0, 2.0), (0, 0, 7), 0.99) == 2.0


def figures(
    calls: dict[str, float] | None = None, waits: tuple[int, ...] = (), **gauges: float
) -> Figures:
    numbers: dict[Any, float] = {
        ("recsys_calls", ("Retrieve", name)): value for name, value in (calls or {}).items()
    }
    histograms: dict[Any, tuple[int, ...]] = {("recsys_queue_wait_seconds", ()): waits}
    found = [[f"recsys_{name}", [], value] for name, value in gauges.items()]
    return Figures(1, 0, Minute(0, 0.0, numbers, histograms), found)


FIRING = {
    "ServiceDown": Figures(0, 0, Minute(0, 0.0, {}, {}), ()),
    "WorkersDie": Figures(1, 4, Minute(0, 0.0, {}, {}), ()),
    "ErrorsOfTheService": figures({"OK": 90, "INTERNAL": 1, "NOT_FOUND": 5}),
    "CallsAreRefused": figures({"OK": 90, "DEADLINE_EXCEEDED": 5}),
    "SnapshotLags": figures(snapshot_lag_seconds=61.0),
    "StoreUnreachable": figures(store_up=0.0),
    "BundleRefused": figures(bundles_refused=1.0),
    "RecallBelowTarget": figures(recall_drifting=1.0),
    "AnswersHoldWrongItems": figures(audit_wrong_rows=2.0),
    "CallsWait": figures(waits=(98, *[0] * 15, 2, *[0] * 4)),
}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.code)
def test_an_alert_is_active_once_its_condition_has_held_long_enough(rule: Any) -> None:
    state = AlertState()
    well = figures({"OK": 90, "NOT_FOUND": 90}, (99, 1), snapshot_lag_seconds=1.0, store_up=1.0)
    assert state.update(well, now=0.0) == []
    early = state.update(FIRING[rule.code], now=10.0)
    assert early == ([] if rule.seconds else [(rule.code, 10.0)])
    assert state.update(FIRING[rule.code], now=10.0 + rule.seconds) == [(rule.code, 10.0)]
    assert state.update(well, now=400.0) == []


def test_the_alerts_of_prometheus_are_the_same() -> None:
    file = Path(__file__).parents[2] / "deploy/alerts.yml"
    assert file.read_text(encoding="utf-8") == prometheus_rules(), (
        "run: python -m recsys_server.operations.alerts > deploy/alerts.yml"
    )


def test_a_record_keeps_the_counts_of_dead_workers() -> None:
    now = [1000.0]
    record = ServiceRecord(2, clock=lambda: now[0])
    for number in (0, 1):
        own = WorkerMetrics()
        own.number("recsys_calls", "Retrieve", "OK").value = 3
        record.begin(number, process_id=7 + number)
        record.take(number, report(own, slow=[{"method": "Retrieve"}]))
    for number in range(5):
        record.end(0)
        record.begin(0, process_id=100 + number)
        now[0] += 61
        record.take(0, report(WorkerMetrics()))
    minutes = record.answer("minutes", 360)["minutes"]
    assert sum(each["calls"] for each in minutes) == 6
    state = record.answer("status")
    assert (state["replaced"], [code for code, _ in state["alerts"]]) == (5, ["WorkersDie"])
    assert [each["process_id"] for each in state["workers"]] == [104, 8]
    assert record.answer("slow", 2)["requests"] == [
        {"worker": 1, "method": "Retrieve"},
        {"worker": 0, "method": "Retrieve"},
    ]


def report(metrics: WorkerMetrics, slow: Any = ()) -> dict[str, Any]:
    values = {"version": "v1", "health": {}, "fault": "", "slow": list(slow)}
    return values | {"metrics": metrics.report()}


def test_settings_have_their_sources_and_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "service.toml"
    file.write_text('bundles = "bundles"\nport = 1\nworkers = 3\n[limits]\nk = 9\n')
    monkeypatch.setenv("RECSYS_SERVE_WORKERS", "2")
    monkeypatch.setenv("RECSYS_SERVE_AUDIT", '{"share": 0.5}')
    store = "postgresql://me:secret@db/shop?sslpassword=hidden&sslmode=require"
    options: dict[str, Any] = {"store": store, "port": 0, "tls": None}
    settings = load_settings(options, file=file)
    found = {each.name: each for each in shown_settings(settings, options, file)}
    sources: Callable[[str], tuple[str, Any]] = lambda name: (  # noqa: E731
        found[name].source,
        json.loads(found[name].value),
    )
    assert sources("workers") == ("environment", 2) and sources("port") == ("option", 0)
    assert sources("limits.k") == ("file", 9) and sources("audit.share") == ("environment", 0.5)
    assert sources("grace") == ("default", 10.0) and sources("tokens") == ("default", None)
    shown = str(list(found.values()))
    assert "secret" not in shown and "hidden" not in shown and "sslmode=require" in shown
    assert found["limits.k"].variable == "RECSYS_SERVE_LIMITS__K"


def test_each_alert_is_described_for_operators() -> None:
    page = Path(__file__).parents[2] / "docs/how-to/monitor-the-service.md"
    rows = [line.split(" | ") for line in page.read_text(encoding="utf-8").splitlines()]
    stated = [(row[0], row[1]) for row in rows if len(row) == 3]
    for rule in ALERTS:
        assert (f"| `{rule.code}`", rule.severity) in stated


def test_calls_at_the_same_time_share_an_answer_of_the_supervisor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overview, "ASK_SECONDS", 0.05)
    supervisor, worker = os.pipe()

    async def ask() -> list[Any]:
        line = overview.SupervisorLine(worker)
        calls = [asyncio.create_task(line.ask("slow", 5)) for _ in range(3)]
        question = json.loads(await asyncio.to_thread(os.read, supervisor, 1_000))
        assert question == {"ask": 0, "about": "slow", "most": 5}
        line.take(b'{"ask": 0, "answer": {"requests": []}}')
        line.take(b'{"ask": 0, "answer": {"requests": ["late"]}}')
        found = await asyncio.gather(*calls, line.ask("slow", 5))
        with pytest.raises(ServiceError, match="supervisor has not answered"):
            await line.ask("status")
        return found

    assert asyncio.run(ask()) == [{"requests": []}] * 4
    os.close(supervisor)
    os.close(worker)


def test_the_audits_of_workers_are_joined_by_their_samples() -> None:
    labels = ["active", "text", "plain"]

    def worker(number: int, recall: float, samples: float) -> dict[str, Any]:
        numbers = {"recall": recall, "recall_low": recall - 0.1, "recall_samples": samples}
        numbers |= {"recall_target": 0.9, "recall_drifting": float(recall < 0.9)}
        return {
            "number": number,
            "process_id": 7,
            "state": "ready",
            "started_at": 0.0,
            "silent": 0.5,
            "version": "v1",
            "health": {"a": number > 0},
            "fault": "no disk",
            "numbers": [[f"recsys_{name}", labels, value] for name, value in numbers.items()],
        }

    workers = [worker(0, 1.0, 300.0), worker(1, 0.8, 100.0)]
    state = {"started": 10.0, "now": 15.0, "replaced": 2, "alerts": [["WorkersDie", 12.0]]}
    message = status_message({**state, "workers": workers}, backend="")
    (audit,) = message.audits
    assert (audit.samples, audit.drifting) == (400, True) and audit.recall == pytest.approx(0.95)
    assert message.active.version == "v1" and message.active.workers == 2
    assert audit.recall_low == pytest.approx(0.85) and audit.recall_target == 0.9
    (health,) = message.services
    assert (health.workers_serving, health.fault) == (1, "no disk")
    (alert,) = message.alerts
    assert alert.code == "WorkersDie" and alert.since == 12 and alert.action
    assert not message.HasField("store") and message.uptime_seconds == 5.0
