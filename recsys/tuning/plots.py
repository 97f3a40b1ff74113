"""Plot of a search: its trials, their learning curves, the importance and effect of its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from recsys.evaluation.plots import COLOURS, GRID, ORACLE, STYLE
from recsys.tuning.search_space import label
from recsys.tuning.table import short

Trial = Mapping[str, Any]
DONE, STOPPED, FAILED, BEST = COLOURS[0], COLOURS[3], COLOURS[6], ORACLE
SLICES = 3
"""Number of keys with a panel of their own."""


def draw(content: Mapping[str, Any], path: Path) -> None:
    """Write the plot of a record as PNG."""
    with rc_context(STYLE):
        figure_of(content).savefig(path, dpi=130, metadata={"Software": None})


def figure_of(content: Mapping[str, Any]) -> Figure:
    """Top: the figure over trials and over epochs; bottom: importance and the main keys."""
    names = dict(zip(content["space"], short(list(content["space"]))))
    keys = sorted(names, key=lambda key: -content["importance"].get(key, -1.0))
    trials = sorted(content["trials"], key=lambda trial: int(trial["number"]))
    with rc_context(STYLE):
        figure = Figure(figsize=(12, 7.6), layout="constrained")
        halves: Any = figure.subfigures(2, 1, height_ratios=(1.15, 1))
        top, bottom = halves
        points, curves = top.subplots(1, 2, width_ratios=(1.5, 1))
        _trials(points, trials, content)
        _curves(curves, trials, content)
        importance, *slices = bottom.subplots(1, 1 + len(keys[:SLICES]))
        _importance(importance, {names[key]: content["importance"].get(key) for key in keys})
        for axes, key in zip(slices, keys):
            axes.set_title(names[key], loc="left", fontsize=11)
            _slice(axes, trials, key, content["space"][key])
        for axes in (points, slices[0]):
            axes.set_ylabel(f"validation {content['metric']}")
    return figure


def _trials(axes: Axes, trials: Sequence[Trial], content: Mapping[str, Any]) -> None:
    """A point per trial, and the best so far as a line."""
    axes.set_title("Each trial, and the best so far", loc="left", fontsize=11)
    axes.set_xlabel("trial")
    axes.grid(axis="y", color=GRID)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    done = _points(trials, "complete")
    axes.step(
        done[0], np.maximum.accumulate(done[1]), where="post", color=BEST, label="best so far"
    )
    axes.scatter(*done, s=34, zorder=3, color=DONE, label="complete")
    stopped = _points(trials, "pruned", "unfinished")
    axes.scatter(*stopped, s=34, zorder=3, color="white", edgecolor=STOPPED, label="stopped early")
    failed = [trial["number"] for trial in trials if trial["state"] == "failed"]
    bottom = axes.get_xaxis_transform()
    axes.scatter(
        failed, [0.03] * len(failed), marker="x", color=FAILED, transform=bottom, label="failed"
    )
    for trial in trials:
        if trial["number"] == content["best"]:
            at = (trial["number"], trial["figure"])
            style: Any = {"textcoords": "offset points", "ha": "center", "fontweight": "bold"}
            axes.annotate(f"{trial['figure']:.4f}", at, (0, 10), color=BEST, **style)
    axes.margins(y=0.14)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, fontsize=8.5)


def _curves(axes: Axes, trials: Sequence[Trial], content: Mapping[str, Any]) -> None:
    """The validation figure over epochs, the best trial's on top."""
    axes.set_title("Learning curves", loc="left", fontsize=11)
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color=GRID)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for trial in trials:
        epochs = [int(epoch) for epoch in trial["epochs"]]
        best = trial["number"] == content["best"]
        colour = BEST if best else DONE if trial["state"] == "complete" else STOPPED
        style: Any = {
            "color": colour,
            "linewidth": 2.0 if best else 0.9,
            "zorder": 3 if best else 2,
        }
        axes.plot(epochs, list(trial["epochs"].values()), marker="o", markersize=2.5, **style)


def _importance(axes: Axes, importance: Mapping[str, float | None]) -> None:
    """A bar per key: its share of the variance of the figure."""
    axes.set_title("Importance of the keys", loc="left", fontsize=11)
    known = {name: value for name, value in importance.items() if value is not None}
    if not known:
        axes.set_axis_off()
        axes.text(0.0, 0.9, "too few complete trials", transform=axes.transAxes)
        return
    bars = axes.barh(list(known), list(known.values()), 0.62, color=DONE)
    axes.bar_label(bars, fmt="{:.0%}", padding=4, fontsize=8.5)
    axes.set_ylim(max(len(known), 4) - 0.4, -0.6)
    axes.margins(x=0.18)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0%}"))
    axes.set_xlabel("share of the variance explained")
    axes.grid(axis="x", color=GRID)


def _slice(axes: Axes, trials: Sequence[Trial], key: str, option: Mapping[str, Any]) -> None:
    """The figure over the values of one key; later trials are darker."""
    axes.grid(axis="y", color=GRID)
    states = ("complete", "pruned")
    shown = [each for each in trials if each["state"] in states and key in each["chosen"]]
    positions = [each["chosen"][key] for each in shown]
    if "choices" in option:
        labels = list(dict.fromkeys(map(label, option["choices"])))
        positions = [labels.index(each["labels"][key]) for each in shown]
        axes.set_xticks(
            range(len(labels)),
            [fill(text, 16, break_long_words=False) for text in labels],
            fontsize=7.5,
        )
        axes.set_xlim(-0.6, len(labels) - 0.4)
    elif option.get("log"):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    numbers = [each["number"] for each in shown]
    figures = [each["figure"] for each in shown]
    last = max((trial["number"] for trial in trials), default=1)
    shades = Normalize(-len(trials), last)  # also without a trial to show
    axes.scatter(positions, figures, s=34, c=numbers, cmap="Blues", norm=shades, zorder=3)


def _points(trials: Sequence[Trial], *states: str) -> tuple[list[int], list[float]]:
    """Numbers and figures of the trials in some states."""
    found = [each for each in trials if each["state"] in states and each["figure"] is not None]
    return [each["number"] for each in found], [each["figure"] for each in found]
