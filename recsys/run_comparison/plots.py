"""The plots of a comparison of runs, as SVG in data URLs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from recsys.evaluation.plots import INK, new_figure, svg_url

SHOWN = ("recall", "ndcg", "mrr", "recall_of_warm", "recall_of_cold", "cold_recall")
"""Metrics of the plot of differences."""


def draw_run_plots(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each plot with ``title``, ``note`` and ``source``."""
    ks = sorted({int(metric.rpartition("@")[2]) for metric in content["metrics"]})
    k = 10 if 10 in ks else ks[0]
    plots = [
        (
            f"Differences to {content['runs'][0]['label']}, at {k}",
            "With 95% paired bootstrap intervals; right of 0 is better than the first run.",
            difference_points(content, k),
        ),
        (
            "Recall by length of the list",
            "With 95% bootstrap intervals over queries, each run by itself.",
            curves(content, "recall", ks),
        ),
        (
            "NDCG by length of the list",
            "With 95% bootstrap intervals over queries, each run by itself.",
            curves(content, "ndcg", ks),
        ),
        ("Seconds by stage", "When each stage last ran.", second_bars(content)),
    ]
    return [
        {"title": title, "note": note, "source": svg_url(figure)} for title, note, figure in plots
    ]


def difference_points(content: Mapping[str, Any], k: int) -> Figure:
    """One group per metric; one point with its interval per run except the first."""
    others = content["runs"][1:]
    metrics = [
        f"{name}@{k}"
        for name in SHOWN
        if any(f"{name}@{k}" in run["differences"] for run in others)
    ]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.axvline(0, color=INK, linewidth=0.8)
        for at, run in enumerate(others):
            shift = (at - (len(others) - 1) / 2) * 0.18
            points = [
                (group + shift, run["differences"][metric])
                for group, metric in enumerate(metrics)
                if metric in run["differences"]
            ]
            values = [gap["difference"] for _, gap in points]
            axes.errorbar(
                values,
                [height for height, _ in points],
                xerr=[
                    [max(v - gap["low"], 0.0) for v, (_, gap) in zip(values, points)],
                    [max(gap["high"] - v, 0.0) for v, (_, gap) in zip(values, points)],
                ],
                fmt="o",
                markersize=4.5,
                elinewidth=1.4,
                color=f"C{at + 1}",
                label=run["label"],
            )
        axes.set_yticks(range(len(metrics)), metrics)
        axes.set_ylim(len(metrics) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=3)

    return new_figure(paint, height=1.0 + 0.36 * max(len(metrics), 2))


def curves(content: Mapping[str, Any], metric: str, ks: Sequence[int]) -> Figure:
    """A metric over k, one line per run."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for at, run in enumerate(content["runs"]):
            at_k = [k for k in ks if f"{metric}@{k}" in run["figures"]]
            heights = [run["figures"][f"{metric}@{k}"] for k in at_k]
            intervals = [run["intervals"].get(f"{metric}@{k}") for k in at_k]
            axes.plot(at_k, heights, marker="o", markersize=4, color=f"C{at}", label=run["label"])
            bands = [found or (height, height) for found, height in zip(intervals, heights)]
            low, high = zip(*bands)
            axes.fill_between(at_k, low, high, color=f"C{at}", alpha=0.15, linewidth=0)
        axes.set_xscale("log")
        axes.set_xticks(ks, [str(k) for k in ks])
        axes.minorticks_off()
        axes.set_xlabel("k")
        axes.set_ylabel(f"{metric}@k")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        figure.legend(loc="outside upper left", ncols=3)

    return new_figure(paint)


def second_bars(content: Mapping[str, Any]) -> Figure:
    """One group of bars per stage, one bar per run."""
    runs = content["runs"]
    stages = list(dict.fromkeys(name for run in runs for name in run["seconds"]))
    thickness = 0.8 / len(runs)

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for at, run in enumerate(runs):
            axes.barh(
                [group + (at - (len(runs) - 1) / 2) * thickness for group in range(len(stages))],
                [run["seconds"].get(name, 0.0) for name in stages],
                thickness * 0.92,
                color=f"C{at}",
                label=run["label"],
            )
        axes.set_yticks(range(len(stages)), stages)
        axes.set_ylim(len(stages) - 0.5, -0.5)
        axes.set_xlabel("seconds")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=3)

    return new_figure(paint)
