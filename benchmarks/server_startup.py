"""Start-up time and resident memory of a server over 200,000 items of 64 dimensions.

Run ``python -m benchmarks.server_startup`` on an idle machine. Publishes a synthetic bundle (random
interactions, towers trained for one epoch, ScaNN without tuning), starts ``python -m
recsys_server`` on it ``STARTS`` times and writes ``benchmarks/results/server_startup.json``: the
median seconds from the start of the process to its first SERVING, the CPU seconds of it and its
worker until then, and the resident memory of both after one request by user and one by item.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from rich.console import Console

from recsys.bundle import Parts, publish
from recsys.evaluation.record import write_record
from recsys.index import ScannConfig
from recsys.ingestion import ingest
from recsys.retrieval import TWO_TOWER, Space
from recsys_client import RecsysClient

RESULT = Path("benchmarks/results/server_startup.json")
ITEMS, USERS, LENGTH, DIMENSION, SEED, STARTS = 200_000, 10_000, 40, 64, 1, 5


def main() -> dict[str, float]:
    """Publish, start, measure, write and print; the figures."""
    with tempfile.TemporaryDirectory() as folder:
        publish_bundle(Path(folder))
        starts = [start(Path(folder) / "bundles") for _ in range(STARTS)]
    figures = {name: median(each[name] for each in starts) for name in starts[0]}
    write_record(
        RESULT,
        name="server-startup",
        command="python -m benchmarks.server_startup",
        seeds=[SEED],
        figures=figures,
        items=ITEMS,
        users=USERS,
        interactions=USERS * LENGTH,
        dimension=DIMENSION,
        starts=STARTS,
    )
    Console().print("  ".join(f"{name} {value:,.1f}" for name, value in figures.items()))
    return figures


def publish_bundle(folder: Path, items: int = ITEMS, users: int = USERS) -> None:
    """Publish a synthetic bundle into ``folder / "bundles"``."""
    from recsys.towers import InBatchSoftmax, MeanHistory, TowersConfig, TrainConfig, fit

    rng = np.random.default_rng(SEED)
    drawn = np.concatenate([np.arange(items), rng.integers(items, size=users * LENGTH)])
    item = rng.permutation(drawn[: max(items, users * LENGTH)])
    user = np.sort(np.arange(len(item)) % users)
    ids = {"user_id": [f"u{row}" for row in user], "item_id": [f"i{row}" for row in item]}
    ingested = ingest(pd.DataFrame({**ids, "timestamp": np.arange(len(item))}))
    fitted = fit(
        ingested.interactions,
        (),
        np.zeros((1, 0), np.float32),
        towers=TowersConfig(dimension=DIMENSION, history=MeanHistory(), terms="none"),
        train=TrainConfig(epochs=1, loss=InBatchSoftmax(), seed=SEED),
        folder=folder / "train",
        validate=None,
    )
    search = ScannConfig(leaves_to_search=20, reorder=400)
    space = Space.two_tower(fitted.towers.item_vectors, search)
    publish(folder / "bundles", Parts(ingested, fitted.towers, {TWO_TOWER: space}))


def start(bundles: Path) -> dict[str, float]:
    """Start a server; seconds to the first SERVING, and its memory in MB."""
    port_file = bundles.parent / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "recsys_server", "--bundles", str(bundles)]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, "--port", "0", "--port-file", str(port_file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            while not port_file.is_file():
                if server.poll() is not None:
                    raise RuntimeError(f"the server ended with {server.returncode}")
                time.sleep(0.01)
            with RecsysClient(f"127.0.0.1:{port_file.read_text().strip()}") as client:
                client.wait_ready(60)
                seconds, cpu_seconds = time.monotonic() - began, _cpu_seconds(server.pid)
                client.retrieve(user_id="u0", k=100)
                client.retrieve(item_id="i0", k=100)
            memory = _memory_mb(server.pid)
        finally:
            server.terminate()
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, **memory}


def _with_workers(process: int) -> list[int]:
    """A process and those that it has started."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
    return [process, *map(int, children.split())]


def _cpu_seconds(process: int) -> float:
    """CPU time of a process and its workers, in user and in system mode."""
    ticks = 0
    for each in _with_workers(process):
        stat = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(stat[11]) + int(stat[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory_mb(process: int) -> dict[str, float]:
    """Resident memory with that of the workers: in all, and what no other process can share."""
    memory = {"resident_mb": 0.0, "anonymous_mb": 0.0}
    for each in _with_workers(process):
        status = Path(f"/proc/{each}/status").read_text(encoding="utf-8")
        for name, kind in (("resident_mb", "VmRSS"), ("anonymous_mb", "RssAnon")):
            found = re.search(rf"^{kind}:\s+(\d+) kB", status, re.M)
            assert found, kind
            memory[name] += int(found[1]) / 1024
    return memory


if __name__ == "__main__":
    main()
