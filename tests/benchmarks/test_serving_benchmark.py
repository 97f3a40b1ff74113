"""The benchmark of the service: its loads, figures and page."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, islice
from typing import Any

import grpc
import pytest

from benchmarks.serving import page
from benchmarks.serving.figures import DEFINITIONS, figures_of, limit_rate
from benchmarks.serving.light_load import light_load
from benchmarks.serving.load import RETRIEVE, Load
from benchmarks.serving.world import K, requests
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb

LIMIT = {
    "echo_rate": 1_000.0,
    "echo_p99_ms": 2.0,
    "tower_s": 0.002,
    "raw_scann_s.item": 0.001,
    "raw_scann_s.history": 0.001,
}
SECTIONS = {
    "limit": {**LIMIT, "retriever_user_s": 0.002},
    "rates": dict.fromkeys(("item", "user", "history", "filter", "many", "batch"), 250.0)
    | {"repeated": 900.0},
    "half_load": {"p99_ms": 6.0, "above_50_ms": 0},
    "overload": {
        "2x": {"goodput": 0.95, "p99_ms": 300.0, "recovery": 1.0, "grown_mb": 1.0},
        "commit": "abc",
    },
    "writes": {
        "none": {"p99_ms": 10.0},
        "upserts": {"writes": 100.0, "p99_ms": 20.0},
        "interactions": {"writes": 1_000.0, "p99_ms": 15.0},
    },
    "visible": {
        f"{kind}.all.{label}": 3.0
        for kind in ("interaction", "upsert", "delete")
        for label in ("p50", "p99")
    },
    "startup": {"seconds": 4.0},
    "memory": {"worker_mb": 900.0, "libraries_mb": 700.0, "data_mb": 50.0},
    "swap": {"failed": 0, "p99_ms": 9.0},
    "workers": {"1": 250.0, "2": 425.0, "load_s": 0.001, "worker_s": 0.004},
    "tfrs": {"rate": 50.0},
}


def test_the_figures_are_ratios_of_the_sections() -> None:
    figures = figures_of(SECTIONS)
    assert limit_rate(LIMIT, "item") == pytest.approx(500)
    expected = {
        "limit_share.item": 0.5,
        "limit_share.history": 1.0,
        "cache_over_echo": 0.9,
        "batch_share": 0.5,
        "half_load_p99_over_echo": 3.0,
        "goodput_2x": 0.95,
        "visible_after_ms.upsert.p99": 3.0,
        "interactions_p99_ratio": 1.5,
        "memory_ratio": 1.2,
        "two_workers": 1.7,
        "two_workers_limit": 1.6,
        "tfrs_ratio": 5.0,
        "tfrs_limit": 5.0,
    }
    assert {name: figures[name] for name in expected} == pytest.approx(expected)
    assert all(any(name.startswith(key) for key in DEFINITIONS) for name in figures)


def test_the_page_has_the_comments_of_the_table() -> None:
    table = page.table({"figures": figures_of(SECTIONS), "definitions": DEFINITIONS})
    assert "| `swap_failed_calls` | 0.00 | failed calls" in table
    assert page.PAGE.read_text(encoding="utf-8").count("<!-- serving -->") == 1


@pytest.mark.parametrize("kind", ["item", "user", "history", "filter"])
def test_no_request_is_sent_twice(kind: str) -> None:
    raws = list(islice(requests(kind, 10_000, seed=1), 50))
    assert len(set(raws)) == len(raws)
    assert all(pb.RetrieveRequest.FromString(raw).k == K for raw in raws)


def test_failed_calls_are_offered_but_not_answered() -> None:
    load = Load(seconds=2.0, latencies=[0.1, 0.3], failed={"RESOURCE_EXHAUSTED": 3})
    assert (load.offered, load.rate, load.percentile(1.0)) == (5, 1.0, 0.3)


def test_the_light_load_sends_each_message_once_and_counts_the_answers() -> None:
    received: list[bytes] = []

    def respond(raw: bytes, context: grpc.ServicerContext) -> bytes:
        received.append(raw)
        return bytes(70_000)  # of several frames

    with _served(respond) as address:
        sent = iter([b"message %d" % number * 100 for number in range(10_000)])
        load = light_load(address, sent, connections=2, per_connection=3, seconds=0.2)
    assert load.answered > 0 == load.failed
    assert len(received) == len(set(received)) >= load.answered
    assert b"message 0" * 100 in received


def test_the_light_load_counts_refused_calls_as_failed() -> None:
    def refuse(raw: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")

    with _served(refuse) as address:
        raws = (b"%d" % number for number in count())
        load = light_load(address, raws, connections=1, per_connection=1, seconds=0.1)
    assert load.failed > 0 == load.answered


@contextmanager
def _served(respond: Any) -> Iterator[str]:
    """A server with one method."""
    server = grpc.server(ThreadPoolExecutor(2))
    service, _, method = RETRIEVE[1:].partition("/")
    handlers = {method: grpc.unary_unary_rpc_method_handler(respond)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()
