"""The plot of a comparison: cold against warm recall in the towers, and all recalls as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recsys.comparison.scoring import USAGES
from recsys.evaluation.plots import COLOURS, GRID, STYLE

Variant = Mapping[str, Any]
LABELS = {
    "alone": "alone",
    "towers": "in the towers",
    "towers_without_ids": "in the towers, no ids",
}
CONTENT_COLOURS = {
    "text": COLOURS[0],
    "image": COLOURS[1],
    "text and image": COLOURS[4],
    "neither": "#7b8794",
}


def draw(content: Mapping[str, Any], path: Path) -> None:
    """Write the plot of a record as PNG, without the variants that failed."""
    figure = figure_of(content)
    with rc_context(STYLE):
        figure.savefig(path, dpi=130, metadata={"Software": None})


def figure_of(content: Mapping[str, Any]) -> Figure:
    """The figure: a point per variant inside the towers, and bars of all recalls below."""
    variants = [variant for variant in content["variants"] if variant["figures"]]
    height = 0.32 * max(len(variants), 4) + 1.4
    with rc_context(STYLE):
        figure = Figure(figsize=(12, 6.4 + height), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=(6.4, height))
        _points(figure.add_subplot(grid[0, :]), variants, content["k"])
        first = figure.add_subplot(grid[1, 0])
        _bars(first, variants, content["k"], "warm", "Warm items, among all")
        second = figure.add_subplot(grid[1, 1], sharey=first)
        _bars(second, variants, content["k"], "cold", "Cold items, among the cold")
        second.tick_params(axis="y", labelleft=False)
    return figure


def _points(axes: Axes, variants: Sequence[Variant], k: int) -> None:
    """Cold over warm recall; the labels are in a column at the right, joined to their points."""
    names = [f"towers.{part}.recall@{k}" for part in ("warm", "cold")]
    shown = [variant for variant in variants if all(name in variant["figures"] for name in names)]
    axes.set_title(
        "Inside the two towers, with ids: cold against warm items", loc="left", fontsize=11
    )
    axes.set_xlabel(f"warm recall@{k}, among all items")
    axes.set_ylabel(f"cold recall@{k}, among the cold items")
    axes.grid(color=GRID)
    if not shown:
        axes.text(0.5, 0.5, "no variant inside the towers", ha="center", transform=axes.transAxes)
        return
    x, y = ([variant["figures"][name] for variant in shown] for name in names)
    for content, colour in CONTENT_COLOURS.items():
        own = [at for at, variant in enumerate(shown) if _content(variant) == content]
        if own:
            across, up = ([values[at] for at in own] for values in (x, y))
            axes.scatter(across, up, s=60, color=colour, alpha=0.75, linewidths=0, label=content)
    (left, right), (low, high) = _range(x), _range(y)
    width = right - left
    axes.set_xlim(left, right + 0.62 * width)  # room for the labels
    axes.set_ylim(low, high)
    axes.set_xticks([tick for tick in axes.get_xticks() if left <= tick <= right])
    order = sorted(range(len(shown)), key=lambda at: y[at])
    margin = (high - low) / (2 * len(shown))
    for height, at in zip(np.linspace(low + margin, high - margin, len(shown)), order):
        axes.plot(
            [x[at], right + 0.03 * width, right + 0.07 * width],
            [y[at], height, height],
            color="#9aa5b1",
            linewidth=0.6,
            zorder=0,
        )
        axes.text(
            right + 0.075 * width,
            height,
            shown[at]["label"],
            va="center",
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
    axes.figure.legend(loc="outside upper right", ncols=len(CONTENT_COLOURS), fontsize=8.5)


def _bars(axes: Axes, variants: Sequence[Variant], k: int, part: str, title: str) -> None:
    """One group of bars per variant, one bar per usage of its vectors, the first on top."""
    thickness = 0.8 / len(USAGES)
    for number, (usage, colour) in enumerate(zip(USAGES, (COLOURS[3], COLOURS[0], COLOURS[5]))):
        name = f"{usage}.{part}.recall@{k}"
        found = [
            (at, variant["figures"][name])
            for at, variant in enumerate(variants)
            if name in variant["figures"]
        ]
        axes.barh(
            [at + (number - 1) * thickness for at, _ in found],
            [value for _, value in found],
            thickness,
            color=colour,
            label=LABELS[usage],
        )
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_yticks(range(len(variants)), [variant["label"] for variant in variants])
    axes.set_ylim(len(variants) - 0.4, -0.6)
    axes.set_xlabel(f"{part} recall@{k}")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID)
    if part == "warm":
        axes.legend(loc="upper right", fontsize=8.5)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or max(0.1 * abs(high), 0.01)
    return low - margin, high + margin


def _content(variant: Variant) -> str:
    return " and ".join(variant["encoders"]) or "neither"
