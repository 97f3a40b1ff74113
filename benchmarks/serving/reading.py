"""Parts that read: the limit, the rates of each kind of query, latencies, and overload."""

from __future__ import annotations

import json
from functools import partial
from itertools import cycle, islice, product
from typing import Any

from benchmarks.serving.load import BATCH, CHANNELS, Load, closed, offered
from benchmarks.serving.parts import Setting
from benchmarks.serving.running import output, service, started
from benchmarks.serving.world import requests
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.throttle import Throttle

IN_FLIGHT, MANY, DEADLINE, LARGE = 32, 1_000, 0.5, 64
KINDS = ("item", "user", "history", "filter")
OVERLOADS = (2, 5)


def limit(setting: Setting) -> dict[str, Any]:
    """Seconds of the parts of a query in one process, and the rate of an empty echo."""
    module, items = "benchmarks.serving.in_process", setting.items
    printed = output(setting.server_core, module, str(setting.bundles), str(items))
    parts: dict[str, float] = json.loads(printed)
    size = str(int(parts["response_bytes"]))
    with started([setting.server_core], "benchmarks.serving.peers", "echo", size) as echo:
        raws = cycle(list(islice(requests("item", items, seed=2), 1_000)))
        closed(echo.address, raws, in_flight=IN_FLIGHT, seconds=1)
        whole = closed(echo.address, raws, in_flight=IN_FLIGHT, seconds=setting.seconds)
        half = offered(
            echo.address, raws, rate=whole.rate / 2, seconds=setting.seconds, deadline=5.0
        )
    return {**parts, "echo_rate": whole.rate, "echo_p99_ms": 1e3 * half.percentile(0.99)}


def rates(setting: Setting) -> dict[str, Any]:
    """Calls per second per kind of query, and of repeated queries, many calls and large calls."""
    found: dict[str, Any] = {}
    seconds, items = setting.seconds, setting.items
    with service(setting) as server:
        for kind in KINDS:
            raws = requests(kind, items, seed=11)
            closed(server.address, raws, in_flight=IN_FLIGHT, seconds=1)
            load = closed(server.address, raws, in_flight=IN_FLIGHT, seconds=seconds)
            found |= {kind: expect_answers(load).rate, f"{kind}.p99_ms": _ms(load, 0.99)}
        raws = requests("user", items, seed=12)
        load = closed(server.address, raws, in_flight=MANY, seconds=seconds)
        found |= {"many": load.rate, "many.p99_ms": _ms(load, 0.99)}
        found |= {"many.failed": sum(load.failed.values())}
        raws = cycle(list(islice(requests("user", items, seed=13), 200)))
        closed(server.address, raws, in_flight=IN_FLIGHT, seconds=1)
        load = closed(server.address, raws, in_flight=IN_FLIGHT, seconds=seconds)
        found["repeated"] = expect_answers(load).rate
        load = closed(
            server.address, iter(_batches(setting)), in_flight=2, seconds=seconds, method=BATCH
        )
        found["batch"] = LARGE * expect_answers(load).rate
    return found


def half_load(setting: Setting, capacity: float) -> dict[str, Any]:
    """Latency at half of the capacity, for six loads in a row."""
    raws = requests("user", setting.items, seed=16)
    with service(setting) as server:
        closed(server.address, raws, in_flight=IN_FLIGHT, seconds=1)
        load = offered(
            server.address, raws, rate=capacity / 2, seconds=6 * setting.seconds, deadline=5.0
        )
    quantiles = {"p50_ms": 0.5, "p99_ms": 0.99, "longest_ms": 1.0}
    found = {name: _ms(load, share) for name, share in quantiles.items()}
    return {**found, "above_50_ms": sum(each > 0.05 for each in load.latencies)}


def overload(setting: Setting, capacity: float) -> dict[str, Any]:
    """Calls answered in time while more are offered than can be, and after the load falls.

    The connections throttle as those of the Python client, and then send every call.
    """
    found: dict[str, Any] = {}
    with service(setting) as server:
        raws = cycle(list(islice(requests("user", setting.items, seed=22), 100_000)))
        closed(server.address, raws, in_flight=IN_FLIGHT, seconds=1)
        before = server.worker_mb
        for times, ending in product(OVERLOADS, ("", "_unthrottled")):
            throttles = [] if ending else [Throttle() for _ in range(CHANNELS)]
            send = partial(offered, server.address, raws, deadline=DEADLINE, throttles=throttles)
            load = send(rate=times * capacity, seconds=setting.seconds)
            after = send(rate=capacity / 2, seconds=1.0)
            found[f"{times}x{ending}"] = {
                "goodput": load.rate * load.share_within(DEADLINE) / capacity,
                "offered": load.offered / (load.seconds * capacity),
                "p99_ms": _ms(load, 0.99),
                "failed": load.failed,
                "recovery": len(after.latencies) / max(after.offered, 1),
                "grown_mb": server.worker_mb - before,
            }
    return found


def tfrs(setting: Setting, leaves: int, reorder: int) -> dict[str, Any]:
    """Histories per second of TFRS' own ScaNN layer with these settings, served synchronously."""
    raws = requests("history", setting.items, seed=31)
    module, bundles = "benchmarks.serving.peers", str(setting.bundles)
    arguments = ("tfrs", bundles, str(leaves), str(reorder))
    with started([setting.server_core], module, *arguments) as server:
        closed(server.address, raws, in_flight=IN_FLIGHT, seconds=2)
        load = closed(server.address, raws, in_flight=IN_FLIGHT, seconds=setting.seconds)
    return {"rate": expect_answers(load).rate}


def expect_answers(load: Load) -> Load:
    """The load, in which no call failed.

    Raises:
        RuntimeError: Calls failed although there was no overload.
    """
    if load.failed or not load.latencies:
        raise RuntimeError(f"{len(load.latencies)} calls were answered and failed: {load.failed}")
    return load


def _batches(setting: Setting) -> list[bytes]:
    """More large calls of users than are answered."""
    singles = requests("user", setting.items, seed=15)
    raws = []
    for _ in range(int(60 * setting.seconds)):
        some = [pb.RetrieveRequest.FromString(each) for each in islice(singles, LARGE)]
        raws.append(pb.BatchRetrieveRequest(requests=some).SerializeToString())
    return raws


def _ms(load: Load, share: float) -> float:
    return 1e3 * load.percentile(share)
