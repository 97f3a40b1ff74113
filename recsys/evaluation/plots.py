"""The plots of the report, as SVG in data addresses. They show figures and compute none."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cycler import cycler
from matplotlib import rc_context
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from recsys.evaluation.report import Report

INK, GRID, ORACLE = "#1f2933", "#e4e7eb", "#2f7d5b"
COLOURS = ("#1f5a96", "#d08a35", "#7b8794", "#b8c0c9", "#7a5195", "#4f9da6", "#a05a5a", "#5c6f3d")
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9aa5b1",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    "legend.columnspacing": 1.2,
    "svg.hashsalt": "recsys",
}


def draw(report: Report) -> list[dict[str, str]]:
    """The plots for which the report has figures, each with ``title``, ``note`` and ``source``."""
    k = report.k
    plots = [
        (
            "Recall by length of the list",
            "With 95% bootstrap intervals over queries.",
            recall_curves(report),
        ),
        (
            f"Warm and cold items, at {k}",
            "Targets that training met or did not; ranked among all items, and the cold ones also "
            "among the cold alone.",
            bars(
                report,
                {
                    f"recall_of_warm@{k}": "warm,\namong all",
                    f"recall_of_cold@{k}": "cold,\namong all",
                    f"cold_recall@{k}": "cold,\namong cold",
                },
            ),
        ),
        (
            f"Recall by popularity, at {k}",
            "Head, middle and tail hold a third of the training interactions each.",
            bars(
                report,
                {f"recall_of_{name}@{k}": name for name in ("head", "middle", "tail")},
            ),
        ),
        ("Training", "By epoch.", training_curves(report.training)),
        (
            "Index against exact search",
            "The share of the exact nearest neighbours that the index returns.",
            ann_bars(report.figures),
        ),
    ]
    return [
        {"title": title, "note": note, "source": _source(figure)}
        for title, note, figure in plots
        if figure is not None
    ]


def recall_curves(report: Report) -> Figure | None:
    """recall@k over k, one line a scorer, the oracle where it is known."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        ks = report.ks
        for colour, (name, result) in zip(_colours(report), report.evaluations.items()):
            heights = [result.figures[f"recall@{k}"] for k in ks]
            axes.plot(ks, heights, marker="o", markersize=4, color=colour, label=name)
            pairs = [result.intervals.get(f"recall@{k}") for k in ks]
            low = [pair[0] if pair else at for pair, at in zip(pairs, heights)]
            high = [pair[1] if pair else at for pair, at in zip(pairs, heights)]
            axes.fill_between(ks, low, high, color=colour, alpha=0.18, linewidth=0)
        best = {k: report.figures.get(f"oracle.recall@{k}") for k in ks}
        known = {k: value for k, value in best.items() if value is not None}
        if known:
            axes.plot(
                list(known),
                list(known.values()),
                linestyle="--",
                marker="D",
                markersize=5,
                color=ORACLE,
                label="oracle",
            )
        axes.set_xscale("log")
        axes.set_xticks(ks, [str(k) for k in ks])
        axes.minorticks_off()
        axes.set_xlabel("k")
        axes.set_ylabel("recall@k")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        figure.legend(loc="outside upper left", ncols=3)

    return _figure(paint) if report.ks else None


def bars(report: Report, metrics: Mapping[str, str]) -> Figure | None:
    """One group of bars a metric that any scorer has, one bar a scorer, with intervals."""
    present = {
        metric: label
        for metric, label in metrics.items()
        if any(metric in result.figures for result in report.evaluations.values())
    }

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        width = 0.8 / len(report.evaluations)
        for at, (name, result) in enumerate(report.evaluations.items()):
            shift = (at - (len(report.evaluations) - 1) / 2) * width
            places = [place + shift for place in range(len(present))]
            heights = [result.figures.get(metric, 0.0) for metric in present]
            pairs = [
                result.intervals.get(metric, (height, height))
                for metric, height in zip(present, heights)
            ]
            errors = [
                [max(height - pair[0], 0.0) for height, pair in zip(heights, pairs)],
                [max(pair[1] - height, 0.0) for height, pair in zip(heights, pairs)],
            ]
            axes.bar(
                places,
                heights,
                width * 0.92,
                yerr=errors,
                color=_colours(report)[at],
                label=name,
                error_kw={"elinewidth": 0.8, "ecolor": INK},
            )
        axes.set_xticks(range(len(present)), list(present.values()))
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel("recall")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        figure.legend(loc="outside upper left", ncols=3)

    return _figure(paint) if present else None


def training_curves(lines: Sequence[Mapping[str, float]]) -> Figure | None:
    """Losses on the left, everything else that was measured on the right."""
    names = list(dict.fromkeys(name for line in lines for name in line))
    clock = next((name for name in ("epoch", "step") if name in names), None)
    series = [name for name in names if name not in ("epoch", "step", "seconds")]
    groups = [
        ("loss", [name for name in series if "loss" in name]),
        ("on validation", [name for name in series if "loss" not in name]),
    ]
    groups = [(label, members) for label, members in groups if members]

    def paint(figure: Figure) -> None:
        for at, (label, members) in enumerate(groups, start=1):
            axes = figure.add_subplot(1, len(groups), at)
            for name in members:
                points = [
                    (line.get(clock, row) if clock else row, line[name])
                    for row, line in enumerate(lines, start=1)
                    if name in line and math.isfinite(line[name])
                ]
                axes.plot(*zip(*points), label=name, marker="o", markersize=3)
            axes.set_xlabel(clock or "line")
            axes.set_title(label, loc="left", fontsize=9)
            axes.locator_params(axis="x", integer=True, nbins=6)
            axes.grid(axis="y")
            axes.legend()

    return _figure(paint) if groups else None


def ann_bars(figures: Mapping[str, float]) -> Figure | None:
    """One bar for each ``index.ann_recall@k``."""
    found = {
        name.removeprefix("index.ann_"): value
        for name, value in figures.items()
        if name.startswith("index.ann_recall@")
    }

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.barh(list(found), [1.0] * len(found), 0.3, color=GRID)
        axes.barh(list(found), list(found.values()), 0.3, color=COLOURS[0])
        for name, value in found.items():
            axes.annotate(
                f"{value:.4f}", (1, name), (0, 16), textcoords="offset points", ha="right"
            )
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.8, len(found) - 0.2)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)

    return _figure(paint, height=0.9 + 0.5 * len(found)) if found else None


def _figure(paint: Callable[[Figure], None], *, height: float = 3.1) -> Figure:
    with rc_context(STYLE):
        figure = Figure(figsize=(5.4, height), layout="constrained")
        paint(figure)
    return figure


def _source(figure: Figure) -> str:
    buffer = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _colours(report: Report) -> list[str]:
    return [COLOURS[at % len(COLOURS)] for at in range(len(report.evaluations))]
