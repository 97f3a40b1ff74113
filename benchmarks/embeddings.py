"""Every way to make an embedding, collected: both comparisons, and what single benchmarks found.

Run ``python -m benchmarks.embeddings``; it measures nothing itself and names what must be run
before. Writes ``benchmarks/results/embeddings.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.comparisons import COMPARISONS, RESULTS
from recsys.evaluation.record import write_record
from recsys.files import read_json

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
    **dict.fromkeys(COMPARISONS, ()),
}
"""What is taken over from ``benchmarks/results/NAME.json``; of the last ones their rows, or that
they are there."""


def main() -> None:
    """Collect, write, and show the figures."""
    found = parts(RESULTS)
    figures = {
        figure: found[name]["figures"][figure]
        for name, asked in FIGURES.items()
        for figure in asked
    }
    write_record(
        RESULTS / "embeddings.json",
        name="embeddings",
        command="python -m benchmarks.embeddings",
        seeds=sorted({seed for each in found.values() for seed in each["seeds"]}),
        figures=figures,
        rows=[row for name in COMPARISONS for row in rows_of(name, found[name])],
        parts=[
            {key: each[key] for key in ("name", "command", "commit", "date")}
            for each in found.values()
        ],
    )
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
            found[name] = read_json(file)
            lacking = [figure for figure in asked if figure not in found[name]["figures"]]
            fault = f"{file} has no figure '{lacking[0]}'" if lacking else ""
        except (OSError, ValueError, KeyError, TypeError) as error:
            fault = f"{file} cannot be read ({type(error).__name__})"
        if fault:
            command = f"comparisons {name}" if name in COMPARISONS else name
            faults.append(f"{fault}: run python -m benchmarks.{command}")
    if faults:
        raise SystemExit("\n".join(faults))
    return found


def rows_of(name: str, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a comparison, each with the data set that it was measured on."""
    data = name.removeprefix("compare-")
    return [{"data": data, **row} for row in content["rows"]]


if __name__ == "__main__":
    main()
