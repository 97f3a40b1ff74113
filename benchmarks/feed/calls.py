"""``RankFeed`` at a rate: latency on one core, with a store, and compared with the pipeline alone.

Each request has candidates of another system in addition to those of the sources, so that about 500
are merged, filtered, scored and diversified.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.serving.load import closed, offered
from benchmarks.serving.running import started
from recsys.bundle import Bundle, open_bundle
from recsys_client import Query
from recsys_client.feed import FeedRequest
from recsys_client.feed.messages import write_feed_request
from recsys_client.operations.feeds import SERVICE

METHOD = SERVICE + "RankFeed"
REQUESTS, GIVEN, K = 500, 250, 50
WARM_SECONDS, DEADLINE = 2.0, 5.0


def requests_of(bundle: Bundle) -> list[FeedRequest]:
    """Feeds of users of the log, each with random items as further candidates."""
    rng, log = np.random.default_rng(0), bundle.parts.ingested.interactions
    users = rng.choice(len(log.users), REQUESTS)
    items = [rng.choice(len(log.items), min(GIVEN, len(log.items)), replace=False) for _ in users]
    return [
        FeedRequest(Query(user_id=user), K, candidates=log.items.ids(rows.astype(np.int32)))
        for user, rows in zip(log.users.ids(users.astype(np.int32)), items)
    ]


def in_process(bundle: Bundle, requests: Sequence[FeedRequest]) -> dict[str, float]:
    """Feeds per second of the pipeline alone, one after another, and their candidates."""
    bundle.feed.warm_up()
    responses, began, used = [], time.perf_counter(), time.process_time()
    for request in requests:
        responses.append(bundle.feed.rank(request))
    seconds, used = time.perf_counter() - began, time.process_time() - used
    stages = [stage for each in responses for stage in each.stages]
    merged = [stage.returned for stage in stages if stage.role == "merge"]
    return {
        "in_process.per_second": len(requests) / seconds,
        "in_process.cpu_ms": 1000 * used / len(requests),
        "candidates": float(np.median(merged)),
        "degraded": sum(bool(each.degraded) for each in responses) / len(responses),
    }


def over_the_wire(
    bundles: Path, raws: Sequence[bytes], *, core: int, rate: float, seconds: float
) -> dict[str, float]:
    """Latency at a rate, and the largest rate, of a service with one worker that records feeds."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--bundles", str(bundles), "--store", f"{folder}/store.db", "--port", "0")
        with started([core], "recsys_server", *options) as server:
            sent = itertools.cycle(raws)
            closed(server.address, sent, in_flight=1, seconds=WARM_SECONDS, method=METHOD)
            load = offered(
                server.address, sent, rate=rate, seconds=seconds, deadline=DEADLINE, method=METHOD
            )
            before = cpu_seconds(server.workers[0])
            most = closed(server.address, sent, in_flight=4, seconds=seconds / 2, method=METHOD)
            spent = cpu_seconds(server.workers[0]) - before
    return {
        "p50_ms": 1000 * load.percentile(0.5),
        "p99_ms": 1000 * load.percentile(0.99),
        "failed": float(sum(load.failed.values())),
        "per_second": most.rate,
        "cpu_ms": 1000 * spent / max(1, len(most.latencies)),
    }


def cpu_seconds(process: int) -> float:
    """Processor time of a process until now."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(
    bundles: Annotated[Path, typer.Option(help="Folder of bundles.")] = Path("runs/demo/bundles"),
    core: Annotated[int, typer.Option(help="Core of the service.")] = 0,
    rate: Annotated[float, typer.Option(help="Calls per second.")] = 50.0,
    seconds: Annotated[float, typer.Option(help="Duration of the load.")] = 30.0,
) -> None:
    """Measure, and print the figures as JSON."""
    bundle = open_bundle(bundles)
    requests = requests_of(bundle)
    figures = in_process(bundle, requests)
    raws = [write_feed_request(request).SerializeToString() for request in requests]
    figures |= over_the_wire(bundles, raws, core=core, rate=rate, seconds=seconds)
    print(json.dumps({f"rank_feed.{name}": round(value, 3) for name, value in figures.items()}))


if __name__ == "__main__":
    typer.run(main)
