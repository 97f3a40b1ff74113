"""``RankFeed`` at a rate: latency on one core, with a store, and compared with the pipeline alone.

Each request has candidates of another system in addition to those of the sources, so that about 500
are merged, filtered, scored by the bundle's ranker and diversified. The bundle is that of the
sample set with a deep and cross network as its ranker: for 540 candidates its layers take .6 ms of
one core, LightGBM 3 ms with 100 trees and 9 ms with 300. The service has the first core, the load
generator the second.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.serving.load import Offer, closed, together
from benchmarks.serving.running import started
from recsys.bundle import Bundle, open_bundle
from recsys.pipeline import open_job, run_job
from recsys.screen import Screen
from recsys_client import Query
from recsys_client.feed import FeedRequest
from recsys_client.feed.messages import write_feed_request
from recsys_client.operations.feeds import SERVICE

METHOD = SERVICE + "RankFeed"
REQUESTS, GIVEN, K = 500, 70, 50
RATE, SECONDS, WARM_SECONDS, DEADLINE = 50.0, 30.0, 2.0, 5.0
SERVICE_CORE, LOAD_CORE = 0, 1
CONFIG = Path("configs/demo.toml")


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
    with threadpool_limits(1):  # as many threads as cores
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
            offer = Offer(METHOD, sent, rate, DEADLINE)
            (load,) = together(server.address, [offer], seconds=seconds)
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


def measure(_: Path, work: Path) -> dict[str, float]:
    """Figures of the pipeline alone and of the service."""
    bundles = published(work / "calls")
    bundle = open_bundle(bundles)
    requests = requests_of(bundle)
    os.sched_setaffinity(0, {LOAD_CORE})
    found = in_process(bundle, requests)
    raws = [write_feed_request(request).SerializeToString() for request in requests]
    found |= over_the_wire(bundles, raws, core=SERVICE_CORE, rate=RATE, seconds=SECONDS)
    return found | {"share_of_in_process": found["per_second"] / found["in_process.per_second"]}


def published(folder: Path) -> Path:
    """Folder of a bundle of the sample set with a ranker; used again if it is there."""
    with Screen() as screen:
        overrides = {"ranker": {"scorer": "dcn"}}
        job = open_job(CONFIG, runs=folder, overrides=overrides, progress=screen)
        run_job(job, until="publish", observer=screen)
    return job.folder / "bundles"
