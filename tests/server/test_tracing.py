"""Spans of calls; they continue the caller's trace and name no user."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import grpc
import pytest

pytest.importorskip("opentelemetry.instrumentation.grpc", reason="the extra 'tracing'")
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from recsys.errors import ConfigError
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from recsys_server.metrics.observation import Observation
from recsys_server.metrics.tracing import trace_interceptors
from tests.server.service_world import WAIT, LineRetriever, served, until

TRACE = "0af7651916cd43dd8448eb211c80319c"


class Spans(SpanExporter):
    """Spans in a list."""

    def __init__(self) -> None:
        self.found: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.found += spans
        return SpanExportResult.SUCCESS


def test_a_call_is_a_span_of_the_callers_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    spans = Spans()
    interceptors = trace_interceptors("console", exporter=spans)
    with (
        served(LineRetriever(), observation=Observation(interceptors=interceptors)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        metadata = (("traceparent", f"00-{TRACE}-b7ad6b7169203331-01"),)
        for user in ("ann", "nobody"):
            request = pb.RetrieveRequest(query=pb.Query(user_id=user), k=1)
            try:
                RetrievalServiceStub(channel).Retrieve(request, timeout=WAIT, metadata=metadata)
            except grpc.RpcError as error:
                assert error.code() is grpc.StatusCode.NOT_FOUND
        until(lambda: len(spans.found) == 2)
    for span in spans.found:
        assert span.context is not None and f"{span.context.trace_id:032x}" == TRACE
        assert span.name.endswith("RetrievalService/Retrieve")
        assert "ann" not in str(dict(span.attributes or {}))


def test_no_traces_need_no_library() -> None:
    assert trace_interceptors("none") == []


@pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry.exporter") is not None, reason="the exporter is there"
)
def test_a_missing_exporter_is_an_error_of_the_setting() -> None:
    with pytest.raises(ConfigError, match=r"recsys\[tracing\]"):
        trace_interceptors("otlp")
