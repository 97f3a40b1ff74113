"""Plot of a search: its trials, their learning curves, the importance and effect of its keys."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from recsys.evaluation.plots import COLOURS, GRID, ORACLE, STYLE
from recsys.tuning.search_space import label
from recsys.tuning.table import short

Trial = Mapping[str, Any]
DONE, STOPPED, FAILED, BEST = COLOURS[0], COLOURS[3], COLOURS[6], ORACLE
AGES = LinearSegmentedColormap.from_list("ages", ["#c7d8e8", DONE, "#0d2a4a"])
"""Colours from the first trial to the last."""
SLICES = 3
"""Number of keys with a panel of their own."""


def draw(content: Mapping[str, Any], path: Path) -> None:
    """Write the plot of a record as PNG."""
    with rc_context(STYLE):
        figure_of(content).savefig(path, dpi=130, metadata={"Software": None})


def figure_of(content: Mapping[str, Any]) -> Figure:
    """Top: the figure over trials and over epochs; bottom: importance and the main keys."""
    keys = _by_importance(content)
    trials = sorted(content["trials"], key=lambda trial: int(trial["number"]))
    with rc_context(STYLE):
        layout = ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.1)
        figure = Figure(figsize=(12, 7.6), layout=layout)
        rows = figure.add_gridspec(2, 1, height_ratios=(1.15, 1))
        top = rows[0].subgridspec(1, 2, width_ratios=(1.5, 1))
        _trials(figure.add_subplot(top[0]), trials, content)
        _curves(figure.add_subplot(top[1]), trials, content)
        shown = keys[:SLICES]
        parts = rows[1].subgridspec(1, len(shown) + 1, width_ratios=(1.1, *[1.0] * len(shown)))
        _importance(figure.add_subplot(parts[0]), keys, content)
        left = None
        for at, key in enumerate(shown):
            panel = figure.add_subplot(parts[at + 1], sharey=left)
            left = left or panel
            _slice(panel, trials, key, content, first=at == 0)
    return figure


def _trials(axes: Axes, trials: Sequence[Trial], content: Mapping[str, Any]) -> None:
    """A point per trial, and the best so far as a line."""
    axes.set_title("Each trial, and the best so far", loc="left", fontsize=11)
    axes.set_xlabel("trial")
    axes.set_ylabel(f"validation {content['metric']}")
    axes.grid(axis="y", color=GRID)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    done = _with_figure(trials, "complete", "repeated")
    stopped = _with_figure(trials, "pruned", "unfinished")
    failed = [trial for trial in trials if trial["state"] == "failed"]
    if done:
        best, steps = float("-inf"), []
        for trial in done:
            best = max(best, trial["figure"])
            steps.append((trial["number"], best))
        steps.append((trials[-1]["number"], best))
        axes.step(*zip(*steps), where="post", color=BEST, linewidth=1.6, label="best so far")
    _points(axes, done, color=DONE, label="complete")
    _points(axes, stopped, facecolors="white", edgecolors=COLOURS[2], label="stopped early")
    if failed:
        numbers = [trial["number"] for trial in failed]
        transform = axes.get_xaxis_transform()
        axes.scatter(
            numbers, [0.03] * len(failed), marker="x", color=FAILED, s=34, transform=transform,
            label="failed", zorder=3, clip_on=False,
        )  # fmt: skip
    for trial in done:
        if trial["number"] == content["best"]:
            at = (trial["number"], trial["figure"])
            axes.scatter(*at, s=150, facecolors="none", edgecolors=BEST, linewidths=1.6, zorder=4)
            axes.annotate(
                f"{trial['figure']:.4f}", at, (0, 10), textcoords="offset points", ha="center",
                color=BEST, fontsize=9, fontweight="bold",
            )  # fmt: skip
    axes.margins(y=0.14)
    if done or stopped or failed:
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, fontsize=8.5)


def _curves(axes: Axes, trials: Sequence[Trial], content: Mapping[str, Any]) -> None:
    """The validation figure over epochs, the best trial's on top."""
    axes.set_title("Learning curves", loc="left", fontsize=11)
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color=GRID)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for trial in trials:
        epochs = [int(epoch) for epoch in trial["epochs"]]
        figures = list(trial["epochs"].values())
        best = trial["number"] == content["best"]
        colour = BEST if best else DONE if trial["state"] == "complete" else STOPPED
        width, above = (2.0, 3) if best else (0.9, 2)
        axes.plot(epochs, figures, color=colour, linewidth=width, zorder=above, alpha=0.9)
        if epochs and (trial["state"] == "pruned" or len(epochs) == 1):
            axes.plot(epochs[-1:], figures[-1:], "o", color=colour, markersize=3.5, zorder=above)


def _importance(axes: Axes, keys: Sequence[str], content: Mapping[str, Any]) -> None:
    """A bar per key: its share of the variance of the figure."""
    axes.set_title("Importance of the keys", loc="left", fontsize=11)
    known = content["importance"]
    shown = [key for key in keys if key in known]
    if not shown:
        axes.set_axis_off()
        text = "too few complete trials"
        axes.text(0.0, 0.9, text, transform=axes.transAxes, color=COLOURS[2], va="top")
        return
    names = dict(zip(content["space"], short(list(content["space"]))))
    values = [known[key] for key in shown]
    axes.barh(range(len(shown)), values, 0.62, color=DONE)
    for at, value in enumerate(values):
        axes.annotate(
            f"{value:.0%}",
            (value, at),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    axes.set_yticks(range(len(shown)), [names[key] for key in shown])
    axes.set_ylim(max(len(shown), 4) - 0.4, -0.6)
    axes.set_xlim(0, max(1.18 * max(values), 0.01))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0%}"))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel("share of the variance explained")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID)


def _slice(
    axes: Axes, trials: Sequence[Trial], key: str, content: Mapping[str, Any], *, first: bool
) -> None:
    """The figure over the values of one key; later trials are darker."""
    names = dict(zip(content["space"], short(list(content["space"]))))
    axes.set_title(names[key], loc="left", fontsize=11)
    axes.grid(axis="y", color=GRID)
    axes.tick_params(axis="y", labelleft=first)
    if first:
        axes.set_ylabel(f"validation {content['metric']}")
    shown = [each for each in _with_figure(trials, "complete", "pruned") if key in each["chosen"]]
    side = content["space"][key]
    last = max((trial["number"] for trial in trials), default=1)
    positions: list[float]
    if "choices" in side:
        labels = list(dict.fromkeys(map(label, side["choices"])))
        # In the order of trials, so that equal choices do not hide each other.
        positions = [
            labels.index(each["labels"][key]) + 0.4 * (each["number"] / last - 0.5)
            for each in shown
        ]
        ticks = [_two_lines(text) for text in labels]
        if max(map(len, ticks)) * len(ticks) > 36:  # every second one below its neighbours
            ticks = ["\n\n" * (at % 2) + text for at, text in enumerate(ticks)]
        axes.set_xticks(range(len(labels)), ticks)
        axes.set_xlim(-0.6, len(labels) - 0.4)
    else:
        positions = [each["chosen"][key] for each in shown]
        if side.get("log"):
            axes.set_xscale("log")
            decades = math.log10(side["high"] / side["low"])
            between = (1, 2, 5) if decades < 1.5 else (1, 3) if decades < 2.5 else (1,)
            axes.xaxis.set_major_locator(LogLocator(subs=between))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(*_limits(side["low"], side["high"], log=bool(side.get("log"))))
    stopped = [each["state"] == "pruned" for each in shown]
    colours = [AGES(each["number"] / last) for each in shown]
    axes.scatter(
        positions,
        [each["figure"] for each in shown],
        s=34,
        facecolors=["white" if early else colour for early, colour in zip(stopped, colours)],
        edgecolors=colours,
        zorder=3,
    )


def _two_lines(text: str) -> str:
    """Name of a choice and the content of its brackets on two lines, both shortened."""
    name, bracket, inside = text.partition("(")
    lines = [name, bracket + inside] if bracket else [text]
    return "\n".join(line if len(line) <= 16 else line[:15] + "…" for line in lines)


def _limits(low: float, high: float, *, log: bool) -> tuple[float, float]:
    """The range with margins."""
    if low == high:
        return (low / 2, low * 2) if log else (low - 1, low + 1)
    if log:
        more = (high / low) ** 0.06
        return low / more, high * more
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _points(axes: Axes, trials: Sequence[Trial], **style: Any) -> None:
    if trials:
        numbers, figures = zip(*((trial["number"], trial["figure"]) for trial in trials))
        axes.scatter(numbers, figures, s=34, zorder=3, **style)


def _with_figure(trials: Sequence[Trial], *states: str) -> list[Trial]:
    return [each for each in trials if each["state"] in states and each["figure"] is not None]


def _by_importance(content: Mapping[str, Any]) -> list[str]:
    known = content["importance"]
    return sorted(content["space"], key=lambda key: -known.get(key, -1.0))
