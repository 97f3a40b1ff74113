"""Plots, ``docs/explanation/feed-benchmark.md`` and rows of ``docs/figures.md``, from
``benchmarks/results/feed.json``.

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

PAGE, ROWS = Path("docs/explanation/feed-benchmark.md"), Path("docs/figures.md")
RESULT = Path("benchmarks/results/feed.json")
TITLES = {
    "dcn+lightgbm": "two DCN and LightGBM, weighted",
    "dcn": "DCN",
    "lightgbm": "LightGBM",
    "logistic": "logistic regression",
    "blend": "retrieval + log recent popularity",
    "retrieval": "order of retrieval",
    "popularity": "popularity",
}
HEADLINES = (
    (
        "MovieLens-1M, its gain over the order of retrieval",
        "ml1m.ndcg_gain",
        "+.1%",
        "ml1m.ndcg_gain.low",
        "lower bound of the 95% interval over users",
    ),
    (
        "`RankFeed` at 50 calls/s on one core, 99th percentile in ms",
        "rank_feed.p99_ms",
        ".1f",
        "",
        "",
    ),
    ("MMR of 500 candidates to 50, in ms", "mmr_500_50_ms", ".2f", "", ""),
    (
        "Closed loop of 20 rounds, clicks per feed as a share of the oracle's",
        "loop.share_of_oracle",
        ".0%",
        "loop.without.share_of_oracle",
        "without exploration",
    ),
    (
        "the same, on new items",
        "loop.with.new_share_of_oracle",
        ".0%",
        "loop.without.new_share_of_oracle",
        "without exploration",
    ),
    (
        "Off-policy estimates of the Open Bandit sample, largest gap to the published values",
        "ope.max_gap",
        ".1%",
        "",
        "",
    ),
)
"""Title, figure, format, other figure and what it is, per row of ``docs/figures.md``."""
Results = Sequence[Mapping[str, Any]]


def write_page(record: Mapping[str, Any], page: Path = PAGE, rows: Path = ROWS) -> None:
    """Write the tables of the page, its rows among all figures, and the plots of the record."""
    parts = {}
    measured = {DATA_SETS[name].title: record[name] for name in DATA_SETS if name in record}
    for name in DATA_SETS.keys() & record.keys():
        tables = (f"### {DATA_SETS[name].title}", stages(record[name]), scorers(record[name]))
        parts[name] = "\n\n".join(tables)
    parts["figures"] = figures(record)
    update_page(page, parts)
    update_page(rows, {"feeds": headlines(record["figures"])})
    if measured:
        plot_price(measured, _plot("price"))
        plot_reliability(measured, _plot("reliability"))
    if "loop" in record:
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
        ["discount of popular items: **the feed**", *bold(_cells(results, "feed"))],
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


def headlines(figures: Mapping[str, float]) -> str:
    """The rows of ``docs/figures.md``."""
    lines = []
    for data_set in DATA_SETS.values():
        feed, other = (f"{data_set.prefix}.{k}.ndcg@10" for k in ("feed", "retrieval"))
        if feed in figures:
            cells = [f"**{figures[feed]:.4f}**", f"{figures[other]:.4f}", "order of retrieval"]
            lines.append([f"{data_set.title}, NDCG@10 of a feed", *cells])
    for title, name, form, other, which in HEADLINES:
        if name in figures:
            value = f"{figures[other]:{form}}" if other else ""
            lines.append([title, f"**{figures[name]:{form}}**", value, which])
    return markdown_table(["measurement", "recsys", "other", "which"], lines)


def _cells(results: Results, scorer: str) -> list[str]:
    return [_format(name, mean(results, scorer, name)) for name in FIGURES]


def _format(figure: str, value: float) -> str:
    return f"{value:,.0f}" if figure.startswith("coverage") else f"{value:.4f}"


def _plot(name: str) -> Path:
    return RESULT.with_name(f"feed-{name}.png")


if __name__ == "__main__":
    write_page(read_record(RESULT))
