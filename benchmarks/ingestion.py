"""Time and memory of reading and ingesting a million interactions from csv and from parquet.

Run ``python -m benchmarks.ingestion``. Each format has a process of its own and the same synthetic
log with timestamps, ratings, events, a context column and 20,000 items. Writes
``benchmarks/results/ingestion.json``. The target: at most 10 seconds and 1 GB.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from benchmarks.processes import answer_request, peak_gib, run_process
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


def main() -> None:
    """Measure both formats, write and print the figures."""
    figures: dict[str, float] = {"rows": ROWS}
    with tempfile.TemporaryDirectory() as folder:
        write_log(Path(folder))
        for form in FORMATS:
            for name, value in measure_format(Path(folder), form).items():
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


def write_log(folder: Path, *, rows: int = ROWS) -> None:
    """Write a log as csv and as parquet, and its items."""
    rng = np.random.default_rng(SEED)
    users = np.array([f"user-{user:06d}" for user in range(USERS)], dtype=object)
    items = np.array([f"B{item:09d}" for item in range(ITEMS)], dtype=object)
    log = pa.table(
        {
            "user_id": users[rng.integers(USERS, size=rows)],
            "item_id": items[rng.zipf(1.3, size=rows) % ITEMS],
            "timestamp": rng.integers(1_600_000_000, 1_700_000_000, rows),
            "rating": rng.integers(1, 11, rows) / 2,
            "event": np.array(["view", "save", "buy"], object)[rng.integers(3, size=rows)],
            "device": np.array(["phone", "tablet", "desk"], object)[rng.integers(3, size=rows)],
        }
    )
    csv.write_csv(log, folder / "log.csv", csv.WriteOptions(quoting_style="none"))
    parquet.write_table(log, folder / "log.parquet")
    titles = [f"a thing of the kind {number % 977}" for number in range(ITEMS)]
    pd.DataFrame({"item_id": items, "title": titles}).to_parquet(folder / "items.parquet")


def measure_format(folder: Path, form: str) -> dict[str, float]:
    """Seconds and peak memory of reading and ingesting one format, in a process of its own."""
    return run_process("benchmarks.ingestion", {"folder": str(folder), "form": form}, folder / form)


def measure(folder: Path, form: str) -> dict[str, float]:
    """The same in this process: ``seconds``, ``peak_mb`` and the number of kept interactions."""
    columns = InteractionColumns(
        timestamp="timestamp", weight="rating", event="event", context=("device",)
    )
    kind = CsvInteractions if form == "csv" else ParquetInteractions
    source = kind(path=f"log.{form}", columns=columns)
    policy = IngestPolicy(
        min_weight=1.0, events=("view", "buy"), duplicate_interactions="keep-last"
    )
    start = time.perf_counter()
    log = read_interactions(source, base=folder)
    items = read_items(ParquetItems(path="items.parquet"), base=folder)
    ingested = ingest(log, items, CatalogueFields(title="title", text=("title",)), policy)
    seconds = time.perf_counter() - start
    kept = float(len(ingested.interactions))
    return {"seconds": seconds, "peak_mb": 1024 * peak_gib(), "kept": kept}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        answer_request(lambda request: measure(Path(request["folder"]), request["form"]))
    else:
        main()
