"""Plots and ``docs/explanation/feed-benchmark.md``, from ``benchmarks/results/feed.json``.

``python -m benchmarks.feed.page`` writes them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.feed.figures import mean
from benchmarks.feed.offline.datasets import DATA_SETS
from benchmarks.feed.offline.measures import FIGURES
from benchmarks.feed.plots import plot_loop, plot_price, plot_reliability
from benchmarks.pages import bold, markdown_table, metric_title, read_record, update_page

PAGE, RESULT = Path("docs/explanation/feed-benchmark.md"), Path("benchmarks/results/feed.json")
TITLES = {
    "dcn+lightgbm": "DCN and LightGBM, mean",
    "dcn": "DCN",
    "lightgbm": "LightGBM",
    "logistic": "logistic regression",
    "blend": "retrieval + log recent popularity",
    "retrieval": "order of retrieval",
    "popularity": "popularity",
}
Results = Sequence[Mapping[str, Any]]


def write_page(record: Mapping[str, Any], page: Path = PAGE) -> None:
    """Write the tables of the page, and the plots next to the record."""
    parts = {}
    for name in DATA_SETS:
        parts[f"{name} stages"] = stages(record[name])
        parts[f"{name} scorers"] = scorers(record[name])
    parts["figures"] = figures(record)
    update_page(page, parts)
    plot_price({DATA_SETS[n].title: record[n] for n in DATA_SETS}, _plot("price"))
    plot_reliability({DATA_SETS[n].title: record[n] for n in DATA_SETS}, _plot("reliability"))
    plot_loop(record["loop"], _plot("loop"))


def stages(results: Results) -> str:
    """Figures after each stage of the feed."""
    chosen = sorted({each["chosen"] for each in results})
    ranked = [dict(each["scorers"][each["chosen"]]) for each in results]
    lines = [
        ["retrieval, without the history", *_cells(results, "retrieval")],
        [
            f"ranking ({', '.join(TITLES[name] for name in chosen)})",
            *(_format(name, float(np.mean([own[name] for own in ranked]))) for name in FIGURES),
        ],
        ["exploration in the last slot: **the feed**", *bold(_cells(results, "feed"))],
    ]
    if "oracle" in results[0]:
        oracle = results[0]["oracle"]
        lines.append(["oracle", *(_format(name, oracle[name]) for name in FIGURES)])
    return markdown_table(["after", *map(metric_title, FIGURES)], lines)


def scorers(results: Results) -> str:
    """Figures of every scorer, best first, with the NDCG that the choice was made by."""
    names = sorted(TITLES, key=lambda name: -mean(results, name, "ndcg@10"))
    lines = []
    for name in names:
        chosen_by = [each["validation"].get(name) for each in results]
        cell = f"{np.mean(chosen_by):.4f}" if None not in chosen_by else ""
        deviation = np.std([each["scorers"][name]["ndcg@10"] for each in results])
        cells = _cells(results, name)
        cells[0] += f" ± {deviation:.4f}" if len(results) > 1 else ""
        lines.append([TITLES[name], *cells, cell])
    header = ["scorer", *map(metric_title, FIGURES), "NDCG@10 of the choice"]
    return markdown_table(header, lines)


def figures(record: Mapping[str, Any]) -> str:
    """The figures that are not in the other tables, each definition once."""
    definitions: dict[str, str] = dict(record["definitions"])
    lines = []
    for name, value in record["figures"].items():
        if any(name.endswith(figure) for figure in FIGURES):
            continue
        key = next((key for key in definitions if key in name), "")
        lines.append([f"`{name}`", f"{value:,.4f}", definitions.pop(key, "")])
    return markdown_table(["figure", "value", "definition"], lines)


def _cells(results: Results, scorer: str) -> list[str]:
    return [_format(name, mean(results, scorer, name)) for name in FIGURES]


def _format(figure: str, value: float) -> str:
    return f"{value:,.0f}" if figure.startswith("coverage") else f"{value:.4f}"


def _plot(name: str) -> Path:
    return RESULT.with_name(f"feed-{name}.png")


if __name__ == "__main__":
    write_page(read_record(RESULT))
