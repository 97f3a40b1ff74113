"""A million interactions from csv and from parquet: seconds and peak memory of reading and
ingestion.

Run ``python -m benchmarks.ingestion``. Each format is measured in a process of its own, from its
start, on a made-up log with timestamps, ratings, events, a context column and 20,000 items.
Writes ``benchmarks/results/ingestion.json``. The promise: 10 seconds and 1 GB at most.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.memory import peak_mb
from recsys.catalogue import CatalogueFields
from recsys.evaluation.record import write_record
from recsys.formats import (
    CsvInteractions,
    InteractionColumns,
    ParquetInteractions,
    ParquetItems,
    read_interactions,
    read_items,
)
from recsys.ingestion import IngestPolicy, ingest

RESULT = Path("benchmarks/results/ingestion.json")
FORMATS = ("csv", "parquet")
ROWS, USERS, ITEMS, SEED = 1_000_000, 60_000, 20_000, 1


def write_log(folder: Path, *, rows: int = ROWS) -> None:
    """A log as csv and as parquet, and its items."""
    rng = np.random.default_rng(SEED)
    log = pd.DataFrame(
        {
            "user_id": [f"user-{user:06d}" for user in rng.integers(USERS, size=rows)],
            "item_id": [f"B{item:09d}" for item in rng.zipf(1.3, size=rows) % ITEMS],
            "timestamp": rng.integers(1_600_000_000, 1_700_000_000, rows),
            "rating": rng.integers(1, 11, rows) / 2,
            "event": np.array(["view", "save", "buy"])[rng.integers(3, size=rows)],
            "device": np.array(["phone", "tablet", "desk"])[rng.integers(3, size=rows)],
        }
    )
    log.to_csv(folder / "log.csv", index=False)
    log.to_parquet(folder / "log.parquet", index=False)
    items = [f"B{item:09d}" for item in range(ITEMS)]
    titles = [f"a thing of the kind {number % 977}" for number in range(ITEMS)]
    pd.DataFrame({"item_id": items, "title": titles}).to_parquet(folder / "items.parquet")


def measure(folder: Path, form: str) -> dict[str, float]:
    """Read and ingest once; seconds, and the most memory that this process ever held in MB."""
    columns = InteractionColumns(
        timestamp="timestamp", weight="rating", event="event", context=("device",)
    )
    kind = CsvInteractions if form == "csv" else ParquetInteractions
    source = kind(path=f"log.{form}", columns=columns)
    policy = IngestPolicy(
        min_weight=1.0, events=("view", "buy"), duplicate_interactions="keep-last"
    )
    started = time.perf_counter()
    log = read_interactions(source, base=folder)
    items = read_items(ParquetItems(path="items.parquet"), base=folder)
    made = ingest(log, items, CatalogueFields(title="title", text=("title",)), policy)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_mb": peak_mb(), "kept": float(len(made.interactions))}


def measure_apart(folder: Path, form: str) -> dict[str, float]:
    """As :func:`measure`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ingestion", str(folder), form]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return {str(name): float(value) for name, value in json.loads(done.stdout).items()}


def main() -> None:
    """Measure both formats and keep the figures."""
    if len(sys.argv) == 3:
        print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2])))
        return
    figures: dict[str, float] = {"rows": ROWS}
    with tempfile.TemporaryDirectory() as folder:
        write_log(Path(folder))
        for form in FORMATS:
            for name, value in measure_apart(Path(folder), form).items():
                figures[f"{form}.{name}"] = round(value, 2)
    write_record(
        RESULT,
        name="ingestion",
        command="python -m benchmarks.ingestion",
        seeds=[SEED],
        figures=figures,
    )
    for name, value in figures.items():
        print(f"{name:20} {value:,}")


if __name__ == "__main__":
    main()
