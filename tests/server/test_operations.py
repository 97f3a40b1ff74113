"""What the operator sees of a service with a store: its gauges, its recall, and its health."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recsys.errors import StoreError
from recsys.index.audit import RecallAudit
from recsys.live import LiveEngine
from recsys.store import InteractionRecorded, ItemUpserted, open_store
from recsys_client import Interaction, RecsysClient
from recsys_server import health
from recsys_server.auditing import Audit
from recsys_server.metrics.sampling import Sampler
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.live.world import made_parts
from tests.server.service_world import WAIT, LineRetriever, served, until

NAMES = ("Retrieval", "Interaction", "Catalog")
Gauges = dict[tuple[str, ...], float]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[LiveEngine]:
    audit = begun(Audit(share=1.0, at_least=5))
    parts = made_parts()
    parts = replace(parts, retriever=replace(parts.retriever, audit=audit))
    with open_store(tmp_path / "store.db") as store, LiveEngine(parts, store) as engine:
        yield engine
    audit.close()


def begun(audit: Audit) -> RecallAudit:
    made = audit.begin("v3")
    assert made is not None
    return made


def rollout_of(engine: LiveEngine, *, canary: bool = False) -> Rollout:
    active = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
    if not canary:
        return Rollout(Deployment(active))
    return Rollout(Deployment(active, LoadedBundle("v4", LineRetriever()), 0.25))


def gauges(metrics: WorkerMetrics) -> Gauges:
    return {(name, *labels): value for name, labels, value in metrics.report()["numbers"]}


def test_gauges_state_the_index_the_store_and_the_lag(
    engine: LiveEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = WorkerMetrics()
    rollout = rollout_of(engine, canary=True)
    now = [100.0]
    sampler = Sampler(metrics, rollout, clock=lambda: now[0])
    engine.store.append([ItemUpserted("n1", "Lamp", "3"), InteractionRecorded("ann", "i1", 5)])
    engine.catch_up()
    sampler.sample(refused=0)
    found = gauges(metrics)
    assert found["recsys_bundle_info", "active", "v3"] == 1
    assert found["recsys_bundle_info", "canary", "v4"] == 1
    assert found["recsys_items", "active", "text"] == 9
    assert found["recsys_delta_items", "active", "text"] == 1
    assert found["recsys_snapshot_watermark", "active"] == found["recsys_store_watermark",] == 2
    assert found["recsys_snapshot_lag_seconds", "active"] == 0
    assert found["recsys_store_bytes",] > 0 and found["recsys_canary_share",] == 0.25

    # While an encoder fails, the snapshot stays behind, and the lag grows from its first sight.
    def fail(to: int | None = None) -> None:
        raise StoreError("the encoder has failed")

    monkeypatch.setattr(engine._writer, "apply_items", fail)
    engine.store.append([ItemUpserted("n2", "Rug", "4")])
    for now[0] in (110.0, 130.0):
        sampler.sample(refused=0)
    found = gauges(metrics)
    assert found["recsys_snapshot_lag_seconds", "active"] == 20
    assert found["recsys_snapshot_lag_changes", "active"] == 1
    assert found["recsys_changes_waiting", "active"] == 1
    monkeypatch.undo()
    until(lambda: engine.latest().watermark == 3)
    engine.compact()
    rollout.current = Deployment(rollout.current.active)
    now[0] = 150.0
    sampler.sample(refused=0)
    found = gauges(metrics)
    assert found["recsys_snapshot_lag_seconds", "active"] == 0
    assert found["recsys_index_built_seconds", "active", "text"] == 150
    assert found["recsys_delta_items", "active", "text"] == 0
    assert ("recsys_bundle_info", "canary", "v4") not in found  # it has ended
    assert found["recsys_bundle_swaps",] == 1


def test_the_recall_of_live_searches_is_a_gauge_and_a_drift_is_logged(
    engine: LiveEngine, caplog: pytest.LogCaptureFixture
) -> None:
    retriever = engine.latest().retriever
    audit = retriever.audit
    assert audit is not None
    for _ in range(3):
        retriever.retrieve(user_id="ann", k=3)
        retriever.retrieve(item_id="i1", k=3, filter="price >= 20")
    assert audit.wait(WAIT)
    metrics = WorkerMetrics()
    sampler = Sampler(metrics, rollout_of(engine))
    sampler.sample(refused=0)
    found = gauges(metrics)
    assert found["recsys_recall", "active", "two_tower", "filtered"] == 1
    assert found["recsys_recall_samples", "active", "two_tower", "excluded"] == 3
    assert found["recsys_audit_dropped", "active"] == 0
    # Searches that find less than is promised.
    with (
        begun(Audit(share=1.0, target=0.99, at_least=5)) as worse,
        caplog.at_level(logging.WARNING),
    ):
        index, query = retriever.spaces["two_tower"].index, np.ones((5, 2), np.float32)
        worse.observe("two_tower", index, query, index.search(-query, 2), k=2)
        assert worse.wait(WAIT)
    assert "bundle v3: recall of delta searches" in caplog.text or "of plain" in caplog.text
    assert "tune the index again" in caplog.text


def test_services_that_write_are_not_serving_while_the_store_refuses(
    engine: LiveEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.01)
    refusing = False

    @contextmanager
    def writing() -> Iterator[object]:
        if refusing:
            raise StoreError("nothing was written: the disk is full")
        with original() as connection:
            yield connection

    original = engine.store.database.writing
    monkeypatch.setattr(engine.store.database, "writing", writing)
    with (
        served(rollout_of(engine)) as server,
        grpc.insecure_channel(server.address) as channel,
        RecsysClient(server.address, timeout=WAIT) as client,
    ):
        stub = health_pb2_grpc.HealthStub(channel)

        def serving() -> list[bool]:
            services = ("", *(f"recsys.v1.{name}Service" for name in NAMES))
            requests = [health_pb2.HealthCheckRequest(service=each) for each in services]
            answers = [stub.Check(request, timeout=WAIT).status for request in requests]
            return [each == health_pb2.HealthCheckResponse.SERVING for each in answers]

        assert serving() == [True] * 4
        refusing = True
        with pytest.raises(StoreError, match="the disk is full"):
            client.record_interactions([Interaction("ann", "i1", 1)])
        until(lambda: serving() == [True, True, False, False])
        assert client.retrieve(user_id="ann", k=1).ids and client.is_serving()
        refusing = False
        until(lambda: serving() == [True] * 4)
        client.record_interactions([Interaction("ann", "i1", 1)])
