"""The plots of the report, as SVG in data URLs, drawn from its figures."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cycler import cycler
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from recsys.evaluation.evaluation import Evaluation
from recsys.evaluation.thumbnails import data_url

Evaluations = Mapping[str, Evaluation]
INK, GRID, ORACLE = "#1f2933", "#e4e7eb", "#2f7d5b"
COLOURS = ("#1f5a96", "#d08a35", "#7b8794", "#b8c0c9", "#7a5195", "#4f9da6", "#a05a5a", "#5c6f3d")
CURVE_RANKS = (1, 10, 100, 1_000)
"""Values of k whose curves are drawn."""
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


def draw_plots(
    evaluations: Evaluations,
    *,
    ks: Sequence[int],
    k: int,
    figures: Mapping[str, float],
    training: Sequence[Mapping[str, float]],
    index: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, str]]:
    """The plots for which there are figures, each with ``title``, ``note`` and ``source``.

    Arguments are as in :class:`recsys.evaluation.report.Report`.
    """
    warm_and_cold = {
        f"recall_of_warm@{k}": "warm,\namong all",
        f"recall_of_cold@{k}": "cold,\namong all",
        f"cold_recall@{k}": "cold,\namong cold",
    }
    popularity = {f"recall_of_{name}@{k}": name for name in ("head", "middle", "tail")}
    plots = [
        (
            "Recall by length of the list",
            "With 95% bootstrap intervals over queries.",
            recall_curves(evaluations, ks, figures),
        ),
        (
            f"Warm and cold items, at {k}",
            "Targets with and without training interactions, ranked among all items; cold targets "
            "also among the cold items.",
            recall_bars(evaluations, warm_and_cold),
        ),
        (
            f"Recall by popularity, at {k}",
            "Head, middle and tail have a third of the training interactions each.",
            recall_bars(evaluations, popularity),
        ),
        ("Training", "By epoch.", training_curves(training)),
        (
            "Index compared with exact search",
            "Share of the exact nearest neighbours that the index returns.",
            ann_bars(figures),
        ),
        (
            "Recall of the index against its cost",
            "Estimated microseconds per query in a batch on one core, for the worst kind of query. "
            "The large points are the tuned settings; `effort` moves along a line.",
            index_curves(index),
        ),
    ]
    return [
        {"title": title, "note": note, "source": svg_url(figure)}
        for title, note, figure in plots
        if figure is not None
    ]


def recall_curves(
    evaluations: Evaluations, ks: Sequence[int], figures: Mapping[str, float]
) -> Figure | None:
    """Recall over k, one line per scorer, and the oracle if known."""
    oracle = {k: figures[f"oracle.recall@{k}"] for k in ks if f"oracle.recall@{k}" in figures}

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for at, (name, result) in enumerate(evaluations.items()):
            heights = [result.figures[f"recall@{k}"] for k in ks]
            axes.plot(ks, heights, marker="o", markersize=4, color=f"C{at}", label=name)
            low, high = zip(*(_interval(result, f"recall@{k}") for k in ks))
            axes.fill_between(ks, low, high, color=f"C{at}", alpha=0.18, linewidth=0)
        if oracle:
            style: Any = {"linestyle": "--", "marker": "D", "markersize": 5, "color": ORACLE}
            axes.plot(list(oracle), list(oracle.values()), label="oracle", **style)
        axes.set_xscale("log")
        axes.set_xticks(ks, [str(k) for k in ks])
        axes.minorticks_off()
        axes.set_xlabel("k")
        axes.set_ylabel("recall@k")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        figure.legend(loc="outside upper left", ncols=3)

    return new_figure(paint) if ks else None


def recall_bars(evaluations: Evaluations, metrics: Mapping[str, str]) -> Figure | None:
    """One group of bars per metric that any scorer has, one bar per scorer, with intervals."""
    results = evaluations.values()
    present = {
        m: label for m, label in metrics.items() if any(m in each.figures for each in results)
    }

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        width = 0.8 / len(evaluations)
        for at, (name, result) in enumerate(evaluations.items()):
            shift = (at - (len(evaluations) - 1) / 2) * width
            heights = [result.figures.get(metric, 0.0) for metric in present]
            intervals = [_interval(result, metric) for metric in present]
            axes.bar(
                [group + shift for group in range(len(present))],
                heights,
                width * 0.92,
                yerr=[
                    [max(height - low, 0.0) for height, (low, _) in zip(heights, intervals)],
                    [max(high - height, 0.0) for height, (_, high) in zip(heights, intervals)],
                ],
                color=f"C{at}",
                label=name,
                error_kw={"elinewidth": 0.8, "ecolor": INK},
            )
        axes.set_xticks(range(len(present)), list(present.values()))
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel("recall")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        figure.legend(loc="outside upper left", ncols=3)

    return new_figure(paint) if present else None


def training_curves(lines: Sequence[Mapping[str, float]]) -> Figure | None:
    """Losses on the left, all other figures on the right."""
    names = list(dict.fromkeys(name for line in lines for name in line))
    clock = next((name for name in ("epoch", "step") if name in names), None)
    series = [name for name in names if name not in ("epoch", "step", "seconds")]
    groups = {
        "loss": [name for name in series if "loss" in name],
        "on validation": [name for name in series if "loss" not in name],
    }
    groups = {label: members for label, members in groups.items() if members}

    def paint(figure: Figure) -> None:
        for at, (label, members) in enumerate(groups.items(), start=1):
            axes = figure.add_subplot(1, len(groups), at)
            for name in members:
                points = [
                    (line.get(clock, number) if clock else number, line[name])
                    for number, line in enumerate(lines, start=1)
                    if name in line and math.isfinite(line[name])
                ]
                axes.plot(*zip(*points), label=name, marker="o", markersize=3)
            axes.set_xlabel(clock or "line")
            axes.set_title(label, loc="left", fontsize=9)
            axes.locator_params(axis="x", integer=True, nbins=6)
            axes.grid(axis="y")
            axes.legend()

    return new_figure(paint) if groups else None


def ann_bars(figures: Mapping[str, float]) -> Figure | None:
    """One bar per ``index.ann_recall@k``."""
    prefix = "index.ann_"
    found = {
        name.removeprefix(prefix): value
        for name, value in figures.items()
        if name.startswith(f"{prefix}recall@")
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

    return new_figure(paint, height=0.9 + 0.5 * len(found)) if found else None


def index_curves(facts: Mapping[str, Mapping[str, Any]]) -> Figure | None:
    """Recall over the duration of a query, one panel per space and one line per k."""
    curves = {name: each["curve"]["plain"] for name, each in facts.items() if each.get("curve")}
    curves = {name: cutoffs for name, cutoffs in curves.items() if cutoffs}

    def paint(figure: Figure) -> None:
        for at, (name, cutoffs) in enumerate(curves.items(), start=1):
            axes = figure.add_subplot(len(curves), 1, at)
            drawn = (each for each in cutoffs if each["rank"] in CURVE_RANKS)
            for colour, cutoff in zip(COLOURS, drawn):
                points = [(1e6 * p["seconds"], p["recall"]) for p in cutoff["points"]]
                label = f"k = {cutoff['rank']:,}"
                axes.plot(*zip(*points), label=label, marker="o", markersize=2, color=colour)
                axes.plot(*points[cutoff["tuned"]], marker="o", markersize=6, color=colour)
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_title(name, loc="left", fontsize=9)
            axes.set_ylabel("recall@k")
            axes.grid(axis="y")
        figure.axes[-1].set_xlabel("microseconds")
        lines, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(lines, labels, loc="outside upper left", ncols=len(labels))

    return new_figure(paint, height=0.8 + 1.6 * len(curves)) if curves else None


def _interval(result: Evaluation, metric: str) -> tuple[float, float]:
    height = result.figures.get(metric, 0.0)
    return result.intervals.get(metric, (height, height))


def new_figure(paint: Callable[[Figure], None], *, height: float = 3.1) -> Figure:
    with rc_context(STYLE):
        figure = Figure(figsize=(5.4, height), layout="constrained")
        paint(figure)
    return figure


def svg_url(figure: Figure) -> str:
    """A figure as an SVG in a data URL."""
    buffer = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return data_url(buffer.getvalue(), "svg+xml")
