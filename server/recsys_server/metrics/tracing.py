"""Traces of calls by OpenTelemetry, an extra: ``pip install recsys[tracing]``."""

from __future__ import annotations

import sys
from typing import Any, Literal

from recsys.errors import ConfigError

Traces = Literal["none", "console", "otlp"]


def trace_interceptors(traces: Traces, *, exporter: Any = None) -> list[Any]:
    """Interceptors of a server that make one span per call, with its method and status.

    A caller's trace is continued (metadata ``traceparent``). Exporter and sampling follow the
    variables of OpenTelemetry, such as ``OTEL_EXPORTER_OTLP_ENDPOINT`` and ``OTEL_TRACES_SAMPLER``.

    Args:
        traces: Destination of the spans: nowhere, standard error, or an OTLP collector.
        exporter: Another exporter in place of that of ``traces``.

    Raises:
        ConfigError: The extra is not installed.
    """
    if traces == "none":
        return []
    try:
        from opentelemetry.instrumentation import grpc as instrumentation
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider(resource=Resource.create({"service.name": "recsys"}))
        provider.add_span_processor(BatchSpanProcessor(exporter or _exporter(traces)))
        make: Any = instrumentation.aio_server_interceptor
        return [make(tracer_provider=provider)]
    except ImportError as error:
        raise ConfigError(
            f"traces need the extra 'tracing' (pip install recsys[tracing]): {error}",
            field="traces",
        ) from error


def _exporter(traces: Traces) -> Any:
    if traces == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()
