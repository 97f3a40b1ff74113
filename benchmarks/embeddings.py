"""Every way to make an embedding, collected: both comparisons, and what single benchmarks found.

Run ``python -m benchmarks.embeddings`` with ``RECSYS_DATA_HOME`` set. The benchmarks below must
have been run; the comparisons are brought up to date here, each row reused where it stands. Writes
``benchmarks/results/embeddings.json`` and a plot of each comparison beside it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.evaluation.record import write_record

RESULTS, RUNS = Path("benchmarks/results"), Path("runs")
COMPARISONS = ("compare-movielens-1m", "compare-amazon-beauty")
FIGURES: dict[str, tuple[str, ...]] = {
    "cold_items": (
        "cold.best.recall@10",
        "cold.mean_of_titles.recall@10",
        "cold.text.recall@10",
        "cold.image.recall@10",
        "cold.text_image.recall@10",
    ),
    "transfer": ("transfer.recall@50", "transfer.scratch.recall@50"),
    "cisi": (
        "cisi.ours.ndcg@10",
        "cisi.bm25.ndcg@10",
        "cisi.bert.ndcg@10",
        "cisi.word_mean.ndcg@10",
    ),
    "pictures": ("cnn.pictures_per_hour",),
    "pictures_for_words": (),
}
"""What is taken over from ``benchmarks/results/NAME.json``, which ``python -m benchmarks.NAME``
writes; of the last one that it is there."""


def main() -> None:
    """Collect, compare, write, and show the figures."""
    found = parts(RESULTS)
    compared = {name: _compare(name) for name in COMPARISONS}
    figures = {
        figure: found[name]["figures"][figure]
        for name, asked in FIGURES.items()
        for figure in asked
    }
    records = [*found.values(), *compared.values()]
    write_record(
        RESULTS / "embeddings.json",
        name="embeddings",
        command="python -m benchmarks.embeddings",
        seeds=sorted({seed for each in records for seed in each["seeds"]}),
        figures=figures,
        rows=[row for name, each in compared.items() for row in rows_of(name, each)],
        parts=[
            {key: each[key] for key in ("name", "command", "commit", "date")} for each in records
        ],
    )
    for name in COMPARISONS:
        shutil.copyfile(RUNS / name / "comparison.png", RESULTS / f"{name}.png")
    for figure, value in figures.items():
        print(f"{figure:32} {value:,.4f}")


def parts(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The record of each benchmark that is collected, by name.

    Raises:
        SystemExit: One is not there, or lacks a figure; the message names the command to run.
    """
    found, faults = {}, []
    for name, asked in FIGURES.items():
        file = folder / f"{name}.json"
        try:
            found[name] = json.loads(file.read_text(encoding="utf-8"))
            lacking = [figure for figure in asked if figure not in found[name]["figures"]]
            fault = f"{file} has no figure '{lacking[0]}'" if lacking else ""
        except (OSError, ValueError, KeyError, TypeError) as error:
            fault = f"{file} cannot be read ({type(error).__name__})"
        if fault:
            faults.append(f"{fault}: run python -m benchmarks.{name}")
    if faults:
        raise SystemExit("\n".join(faults))
    return found


def rows_of(name: str, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a comparison, each with the data set that it was measured on."""
    data = name.removeprefix("compare-")
    return [{"data": data, **row} for row in content["rows"]]


def _compare(name: str) -> Mapping[str, Any]:
    """Bring a comparison up to date; its record.

    Raises:
        SystemExit: It failed, or a row of it did; its own words have said why.
    """
    arguments = ["compare-embeddings", f"configs/{name}.toml", "--runs", str(RUNS), "--json"]
    done = subprocess.run([sys.executable, "-m", "recsys.cli", *arguments], stdout=subprocess.PIPE)
    if done.returncode:
        told = " ".join(arguments[:2])
        raise SystemExit(
            f"not every row of {name} could be measured: mend it and run recsys {told}"
        )
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()
