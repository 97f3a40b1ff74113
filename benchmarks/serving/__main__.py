"""Throughput and latency of one worker, and their share of the limit.

Run ``python -m benchmarks.serving`` on an idle machine of two cores or more: the server has one
core, the load generator another. The limit of a kind of query is

    1 / (s per call of an empty asyncio echo + s per query of raw ScaNN at the same recall, in
         batches + s per query of the query tower, in batches of 64)

without the tower for items. Writes ``benchmarks/results/serving.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.serving.load import BATCH, Load, closed, offered
from benchmarks.serving.world import SEED, publish_world, requests
from recsys.evaluation.record import write_record
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb

RESULT = Path("benchmarks/results/serving.json")
IN_FLIGHT, DEADLINE, LARGE = 32, 0.5, 64
_ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ),
    "1",
)
_console = Console(stderr=True)


def main(
    items: Annotated[int, typer.Option(help="Number of items.")] = 200_000,
    seconds: Annotated[float, typer.Option(help="Duration of each load.")] = 10.0,
    server_core: Annotated[int, typer.Option(help="CPU of the server.")] = 1,
    load_core: Annotated[int, typer.Option(help="CPU of the load generator.")] = 0,
    world: Annotated[Path | None, typer.Option(help="Folder to keep the bundle in.")] = None,
    output: Annotated[Path, typer.Option(help="File of the record.")] = RESULT,
) -> None:
    """Measure one worker on one core; print and write the figures."""
    with tempfile.TemporaryDirectory() as made:
        folder = world or Path(made)
        bundles = folder / "bundles"
        if not bundles.is_dir():
            publish_world(folder, items)
        os.sched_setaffinity(0, {load_core})
        parts = json.loads(
            _run(server_core, "benchmarks.serving.in_process", str(bundles), str(items))
        )
        figures = measure(bundles, items, seconds, server_core, parts)
    write_record(
        output,
        name="serving",
        command="python -m benchmarks.serving",
        seeds=[SEED],
        figures=figures,
        items=items,
        in_flight=IN_FLIGHT,
        seconds_per_load=seconds,
    )
    for name, value in figures.items():
        _console.print(f"{name} {value:,.6g}")


def measure(
    bundles: Path, items: int, seconds: float, core: int, parts: dict[str, float]
) -> dict[str, float]:
    """All figures, by name."""
    figures = dict(parts)
    size = str(int(parts["response_bytes"]))
    with _server(core, "benchmarks.serving.peers", "echo", size) as echo:
        any_request = cycle(islice(requests("item", items, seed=2), 1_000))
        closed(echo, any_request, in_flight=IN_FLIGHT, seconds=1)
        whole = closed(echo, any_request, in_flight=IN_FLIGHT, seconds=seconds)
        half = offered(echo, any_request, rate=whole.rate / 2, seconds=seconds, deadline=5.0)
    figures |= {"echo_rate": whole.rate, "echo_p99_ms": 1e3 * half.percentile(0.99)}
    serve = ("recsys_server", "--bundles", str(bundles), "--port", "0", "--threads", "1")
    with _server(core, *serve) as address:
        rates = _rates(address, items, seconds, figures)
        _cached(address, items, seconds, figures)
        _batches(address, items, seconds, figures)
        _half_load(address, items, seconds, rates["user"], figures)
        _overload(address, items, seconds, rates["user"], figures)
    try:
        with _server(core, "benchmarks.serving.peers", "tfrs", str(bundles)) as address:
            raws = requests("history", items, seed=31)
            closed(address, raws, in_flight=IN_FLIGHT, seconds=2)
            theirs = closed(address, raws, in_flight=IN_FLIGHT, seconds=seconds)
        figures |= {"tfrs_rate": theirs.rate, "tfrs_ratio": rates["history"] / theirs.rate}
    except (OSError, RuntimeError) as error:
        _console.print(f"TFRS' own ScaNN layer does not start: {error}")
    return figures


def _rates(address: str, items: int, seconds: float, figures: dict[str, float]) -> dict[str, float]:
    """Calls per second of each kind of query, and their shares of the limit."""
    rates = {}
    for kind in ("item", "user", "history", "filter"):
        raws = requests(kind, items, seed=11)
        closed(address, raws, in_flight=IN_FLIGHT, seconds=1)
        load = closed(address, raws, in_flight=IN_FLIGHT, seconds=seconds)
        _expect_answers(load)
        rates[kind] = load.rate
        figures |= {f"rate.{kind}": load.rate, f"p99_ms.{kind}": 1e3 * load.percentile(0.99)}
        if kind != "filter":
            tower = 0.0 if kind == "item" else figures["tower_s"]
            limit = 1 / (1 / figures["echo_rate"] + figures["raw_scann_s"] + tower)
            figures |= {f"limit.{kind}": limit, f"limit_share.{kind}": load.rate / limit}
    load = closed(address, requests("user", items, seed=12), in_flight=1_000, seconds=seconds)
    figures |= {"rate.1000_in_flight": load.rate, "filter_share": rates["filter"] / rates["user"]}
    return rates


def _cached(address: str, items: int, seconds: float, figures: dict[str, float]) -> None:
    """Repeated queries, which the cache answers."""
    raws = cycle(list(islice(requests("user", items, seed=13), 200)))
    closed(address, raws, in_flight=IN_FLIGHT, seconds=1)
    rate = closed(address, raws, in_flight=IN_FLIGHT, seconds=seconds).rate
    figures |= {"rate.cached": rate, "cache_over_echo": rate / figures["echo_rate"]}


def _batches(address: str, items: int, seconds: float, figures: dict[str, float]) -> None:
    """Large calls of users against the same batches in-process."""
    singles = requests("user", items, seed=15)
    raws = []
    for _ in range(int(60 * seconds)):
        some = [pb.RetrieveRequest.FromString(each) for each in islice(singles, LARGE)]
        raws.append(pb.BatchRetrieveRequest(requests=some).SerializeToString())
    load = closed(address, iter(raws), in_flight=2, seconds=seconds, method=BATCH)
    rate = LARGE * load.rate
    figures |= {"rate.batch": rate, "batch_share": rate * figures["retriever_user_s"]}


def _half_load(
    address: str, items: int, seconds: float, capacity: float, figures: dict[str, float]
) -> None:
    """Latency at half of the capacity, and the longest call in a minute."""
    raws = requests("user", items, seed=16)
    load = offered(address, raws, rate=capacity / 2, seconds=6 * seconds, deadline=5.0)
    figures |= {
        "half_load.p50_ms": 1e3 * load.percentile(0.5),
        "half_load.p99_ms": 1e3 * load.percentile(0.99),
        "half_load.p99_over_echo": 1e3 * load.percentile(0.99) / figures["echo_p99_ms"],
        "stall_ms": 1e3 * load.percentile(1.0),
    }


def _overload(
    address: str, items: int, seconds: float, capacity: float, figures: dict[str, float]
) -> None:
    """Calls answered in time while more are offered than can be, and after the load falls."""
    for times in (2, 5):
        raws = cycle(list(islice(requests("user", items, seed=20 + times), 60_000)))
        load = offered(address, raws, rate=times * capacity, seconds=seconds, deadline=DEADLINE)
        figures |= {
            f"goodput_{times}x": load.rate / capacity,
            f"goodput_{times}x.offered": (len(load.latencies) + sum(load.failed.values()))
            / (load.seconds * capacity),
            f"goodput_{times}x.p99_ms": 1e3 * load.percentile(0.99),
        }
        after = offered(address, raws, rate=capacity / 2, seconds=1.0, deadline=DEADLINE)
        answered, failed = len(after.latencies), sum(after.failed.values())
        figures |= {f"goodput_{times}x.recovery": answered / (answered + failed)}


def _expect_answers(load: Load) -> None:
    if load.failed:
        raise RuntimeError(f"calls failed without an overload: {load.failed}")


@contextmanager
def _server(core: int, module: str, *arguments: str) -> Iterator[str]:
    """A server in a process of its own on one core; its address is its first line."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", module, *arguments]
    environment = {**os.environ, **_ONE_THREAD}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip()
            if not address:
                raise RuntimeError(f"{module} ended with {server.wait()}")
            yield address
        finally:
            server.terminate()


def _run(core: int, module: str, *arguments: str) -> str:
    command = ["taskset", "-c", str(core), sys.executable, "-m", module, *arguments]
    environment = {**os.environ, **_ONE_THREAD}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    typer.run(main)
