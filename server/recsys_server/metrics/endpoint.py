"""The HTTP endpoint of metrics: ``/metrics``, ``/live`` and ``/ready``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from recsys.errors import ServiceError
from recsys_server.metrics.service_metrics import ServiceMetrics

_Start = Callable[[str, list[tuple[str, str]]], Any]


class Endpoint:
    """A small web server in threads of its own; it serves nothing but these three pages.

    Args:
        metrics: Metrics of the service.
        host: Interface to listen on.
        port: Port; 0 takes a free one.
        ready: Whether the service answers calls.

    Raises:
        ServiceError: The port is taken.
    """

    def __init__(
        self, metrics: ServiceMetrics, *, host: str, port: int, ready: Callable[[], bool]
    ) -> None:
        registry = CollectorRegistry()
        registry.register(metrics)
        self._page = make_wsgi_app(registry)
        self._ready = ready
        try:
            self._server = make_server(host, port, self._answer, _Server, _Handler)
        except OSError as error:
            raise ServiceError(
                f"cannot listen on {host}:{port} for metrics: {error.strerror}; choose another"
                " metrics_port, or 0 for a free one",
                field="metrics_port",
            ) from error
        self.address = f"{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            found: Iterable[bytes] = self._page(environ, start)
            return found
        if path == "/live":
            return _text(start, "200 OK", "live")
        if path == "/ready":
            is_ready = self._ready()
            status = "200 OK" if is_ready else "503 Service Unavailable"
            return _text(start, status, "ready" if is_ready else "not ready")
        return _text(start, "404 Not Found", "the pages are /metrics, /live and /ready")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 16


class _Handler(WSGIRequestHandler):
    timeout = 10.0  # of a client that sends nothing

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def _text(start: _Start, status: str, text: str) -> list[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode() + b"\n"]
