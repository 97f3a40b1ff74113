"""Run ``python -m benchmarks.store``: durable writes per second, and what each call costs.

The limit is a loop that writes one page and syncs it. ``threads.N`` are single interactions, each
acknowledged before its thread writes the next; ``batches`` are 100 interactions per write. The
parts alternate, and each rate is the median of the rounds. Writes
``benchmarks/results/store.json``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from recsys.evaluation.record import write_record
from recsys.store import InteractionRecorded, Store, open_store

RESULT = Path("benchmarks/results/store.json")
THREADS = (1, 8, 32)
WRITES, BATCH, CALLS = 640, 100, 2_000
PAGE = bytes(4096)


def main() -> dict[str, float]:
    """Measure, record and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--url", default="", help="PostgreSQL database; a SQLite file by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as folder:  # a real disk: /tmp may be memory
        name = options.url or str(Path(folder) / "store.db")
        with open_store(name) as store:
            measured = [measure(store, Path(folder)) for _ in range(options.rounds + 1)][1:]
    figures = {name: statistics.median(each[name] for each in measured) for name in measured[0]}
    for threads in THREADS:
        name = f"threads.{threads}"
        figures[f"{name}.over_sync"] = figures[name] / figures["sync"]
    if not options.url:
        write_record(
            RESULT,
            name="store",
            command="python -m benchmarks.store",
            seeds=[],
            figures=figures,
            rounds=options.rounds,
        )
    for name, value in figures.items():
        print(f"{name:24} {value:12,.2f}")
    return figures


def measure(store: Store, folder: Path) -> dict[str, float]:
    """One round of all parts: writes per second, and microseconds per call."""
    figures = {"sync": synced_pages(folder / "pages")}
    for threads in THREADS:
        figures[f"threads.{threads}"] = single_writes(store, threads)
    batch = [InteractionRecorded(f"u{n}", "item", n) for n in range(BATCH)]
    figures["batches"] = BATCH / seconds(lambda: store.append(batch), 20)
    store.changes(store.watermark)
    figures["advanced_us"] = 1e6 * seconds(store.advanced, CALLS)
    figures["history_us"] = 1e6 * seconds(lambda: store.history("u7", 50), CALLS // 10)
    last = store.watermark - 1_000
    figures["changes_us"] = 1e3 * seconds(lambda: store.changes(last, limit=1_000), 10)
    return figures


def synced_pages(file: Path) -> float:
    """Pages per second that are appended to a file, each synced."""
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)

    def write() -> None:
        os.write(descriptor, PAGE)
        os.fdatasync(descriptor)

    rate = 1 / seconds(write, WRITES)
    os.close(descriptor)
    return rate


def single_writes(store: Store, threads: int) -> float:
    """Acknowledged interactions per second of several threads."""

    def write(thread: int) -> None:
        for number in range(WRITES // threads):
            change = InteractionRecorded(f"u{thread}", "item", number, context={"app": "web"})
            store.append([change], key=f"{time.monotonic_ns()}/{thread}")

    workers = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return WRITES / (time.perf_counter() - began)


def seconds(call: Callable[[], object], times: int) -> float:
    """Seconds per call."""
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times


if __name__ == "__main__":
    main()
