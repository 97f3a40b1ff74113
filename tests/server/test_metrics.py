"""Metrics, the slow-request log and gRPC's own statistics; none of them names a user."""

from __future__ import annotations

import logging
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc

from recsys.errors import RecsysError, ServiceError
from recsys.retrieval import Request
from recsys_client import RecsysClient
from recsys_client.pb.recsys.v1.retrieval_pb2 import RetrieveRequest
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from recsys_server.metrics.definitions import METRICS
from recsys_server.metrics.endpoint import Endpoint
from recsys_server.metrics.observation import Observation
from recsys_server.metrics.sampling import Sampler
from recsys_server.metrics.service_metrics import ServiceMetrics
from recsys_server.metrics.stages import SPACES, StageMetrics
from recsys_server.metrics.worker_metrics import WorkerMetrics
from tests.server.service_world import WAIT, LineRetriever, rollout_of, samples, served, until


@pytest.fixture
def pages() -> Iterator[tuple[ServiceMetrics, str]]:
    metrics = ServiceMetrics(workers=2)
    endpoint = Endpoint(metrics, host="127.0.0.1", port=0, ready=lambda: metrics.reporting > 0)
    yield metrics, endpoint.address
    endpoint.close()


def test_calls_are_counted_by_method_and_status() -> None:
    metrics = WorkerMetrics()
    with (
        served(LineRetriever(), observation=Observation(metrics)) as server,
        RecsysClient(server.address, timeout=WAIT) as client,
    ):
        client.retrieve(user_id="ann", k=2)
        client.answer([Request.of(user_id=user, k=2) for user in ("ann", "bob")])
        with pytest.raises(RecsysError):
            client.retrieve(user_id="nobody", k=2)
        call = metrics.number("recsys_calls", "Retrieve", "NOT_FOUND")
        until(lambda: call.value)
    report = metrics.report()
    numbers = {(name, *labels): value for name, labels, value in report["numbers"]}
    assert numbers["recsys_calls", "Retrieve", "OK"] == 1
    assert numbers["recsys_calls", "Retrieve", "NOT_FOUND"] == 1
    assert numbers["recsys_answers", "active", "two_tower"] == 3
    counts = {(name, *labels): sum(counts) for name, labels, counts, _ in report["histograms"]}
    assert counts["recsys_call_seconds", "Retrieve"] == 1
    assert counts["recsys_batch_size",] == counts["recsys_stage_seconds", "retrieve", "active"] >= 2
    assert counts["recsys_queue_wait_seconds",] == 4 and not numbers["recsys_calls_shed", "queue"]
    assert not re.search("ann|bob|nobody", str(report))


def test_a_call_that_ends_with_its_deadline_is_not_one_that_its_caller_cancelled() -> None:
    metrics, retriever = WorkerMetrics(), LineRetriever()
    with (
        served(retriever, observation=Observation(metrics)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub, request = RetrievalServiceStub(channel), RetrieveRequest(k=1)
        request.query.user_id = "slow"
        cancelled = stub.Retrieve.future(request, timeout=WAIT)
        assert retriever.entered.acquire(timeout=WAIT)
        cancelled.cancel()
        count = metrics.number("recsys_calls", "Retrieve", "CANCELLED")
        until(lambda: count.value == 1)
        late = metrics.number("recsys_calls", "Retrieve", "DEADLINE_EXCEEDED")

        def is_counted() -> bool:
            with pytest.raises(grpc.RpcError):
                stub.Retrieve(request, timeout=0.3)
            return late.value > 0

        until(is_counted)
        assert count.value == 1
        retriever.gate.set()


def test_workers_are_added_up_and_the_counts_of_a_dead_one_stay(
    pages: tuple[ServiceMetrics, str],
) -> None:
    metrics, address = pages
    for worker in (0, 1):
        own = WorkerMetrics()
        own.number("recsys_calls", "Retrieve", "OK").value = 3
        own.histogram("recsys_call_seconds", "Retrieve").observe(0.004)
        own.number("recsys_calls_in_flight").value = 1 + worker
        metrics.take(worker, own.report())
    metrics.end(0)
    metrics.take(0, WorkerMetrics().report())
    found = samples(address)
    assert found["recsys_calls_total", ("Retrieve", "OK")] == 6
    assert found["recsys_call_seconds_count", ("Retrieve",)] == 2
    assert found["recsys_call_seconds_bucket", ("0.003", "Retrieve")] == 0
    assert found["recsys_call_seconds_bucket", ("0.005", "Retrieve")] == 2
    assert found["recsys_calls_in_flight", ("1",)] == 2
    assert ("recsys_calls_in_flight", ("0",)) not in found
    assert found["recsys_workers_replaced_total", ()] == 1 and found["recsys_workers", ()] == 2


def test_the_pages_of_health_follow_the_workers(pages: tuple[ServiceMetrics, str]) -> None:
    metrics, address = pages

    def status(page: str) -> int:
        try:
            with urllib.request.urlopen(f"http://{address}{page}", timeout=WAIT) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert [status(page) for page in ("/live", "/ready", "/other")] == [200, 503, 404]
    metrics.take(0, WorkerMetrics().report())
    assert status("/ready") == 200
    with pytest.raises(ServiceError, match="metrics_port"):
        Endpoint(metrics, host="127.0.0.1", port=int(address.split(":")[1]), ready=lambda: True)


def test_gauges_are_read_from_the_rollout_and_the_process() -> None:
    metrics = WorkerMetrics()
    Sampler(metrics, rollout_of(LineRetriever())).sample(refused=2)
    assert metrics.number("recsys_bundles_refused").value == 2
    assert metrics.number("recsys_worker_memory_bytes").value > 1e6


def test_every_metric_is_measured() -> None:
    folder = Path(__file__).parents[2] / "server/recsys_server"
    files = [path for path in folder.rglob("*.py") if path.name != "definitions.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    names = {name.removeprefix("recsys_") for name in METRICS}
    assert {name for name in names if not re.search(rf'"(recsys_)?{name}"', text)} == set()


def test_labels_have_few_values_whatever_callers_send() -> None:
    metrics = WorkerMetrics()
    stages = StageMetrics(metrics)
    for number in range(10 * SPACES):
        stages.answered("active", f"space{number}")
    assert sum(name == "recsys_answers" for name, *_ in metrics.report()["numbers"]) <= SPACES + 1
    labels = {label for each in METRICS.values() for label in each.labels}
    assert labels <= {
        *("method", "status", "reason", "stage", "bundle", "version", "space", "kind"),
        *("pipeline", "at", "outcome", "source", "slot"),
    }


def test_slow_calls_have_a_line_without_the_request(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO),
        served(LineRetriever(), observation=Observation(slow=1e-9)) as server,
        RecsysClient(server.address, timeout=WAIT) as client,
    ):
        client.retrieve(user_id="ann", k=2)
    lines = [each.message for each in caplog.records if each.message.startswith("slow call: ")]
    assert len(lines) == 1 and "method=Retrieve" in lines[0] and "ann" not in caplog.text


def test_failed_calls_have_a_line_with_the_callers_id_of_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
    from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub

    def call(request_id: str) -> Any:
        request = pb.RetrieveRequest(query=pb.Query(user_id="nobody"), k=1)
        with (
            grpc.insecure_channel(server.address) as channel,
            pytest.raises(grpc.RpcError) as caught,
        ):
            metadata = (("x-request-id", request_id),)
            RetrievalServiceStub(channel).Retrieve(request, timeout=WAIT, metadata=metadata)
        return dict(caught.value.trailing_metadata())["x-request-id"]

    with caplog.at_level(logging.INFO), served(LineRetriever()) as server:
        assert call("order-7") == "order-7"
        assert call("two words") != "two words"
        until(lambda: len(caplog.records) == 2)
    record: Any = caplog.records[0]
    assert (record.method, record.status, record.reason, record.field, record.request_id) == (
        "Retrieve",
        "NOT_FOUND",
        "unknown_id",
        "query.user_id",
        "order-7",
    )
    assert "nobody" not in caplog.text


def test_channelz_lists_the_server() -> None:
    with (
        served(LineRetriever(), observation=Observation(channelz=True)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub = channelz_pb2_grpc.ChannelzStub(channel)
        assert stub.GetServers(channelz_pb2.GetServersRequest(), timeout=WAIT).server
