"""The tables of a comparison of runs, for the command line and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gap:
    """A run's difference to the first run in one metric, as text.

    Attributes:
        difference: Difference with its sign, or "".
        interval: Its 95% interval, or "".
        verdict: "better" or "worse" where the interval excludes 0, otherwise "".
    """

    difference: str = ""
    interval: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class MetricLine:
    """One metric: the figure of every run, and the gap of every run but the first."""

    metric: str
    figures: tuple[str, ...]
    gaps: tuple[Gap, ...]


def metric_lines(content: Mapping[str, Any]) -> list[MetricLine]:
    """One line per metric."""
    first, *others = content["runs"]
    return [
        MetricLine(
            metric,
            tuple(f"{run['figures'][metric]:.4f}" for run in content["runs"]),
            tuple(_gap(first, other, metric) for other in others),
        )
        for metric in content["metrics"]
    ]


def second_lines(content: Mapping[str, Any]) -> list[list[str]]:
    """One line per stage: its name and its duration in each run, then the sum."""
    seconds = [run["seconds"] for run in content["runs"]]
    stages = list(dict.fromkeys(name for each in seconds for name in each))
    lines = [
        [name, *(f"{each[name]:,.1f}" if name in each else "" for each in seconds)]
        for name in stages
    ]
    return [*lines, ["all", *(f"{sum(each.values()):,.1f}" for each in seconds)]]


def setting_lines(content: Mapping[str, Any]) -> list[list[str]]:
    """One line per setting or input file that differs: its key and its value in each run."""
    lines = [
        [key, *("" if value is None else _text(value) for value in values)]
        for key, values in content["settings"].items()
    ]
    return lines + [
        [f"content of {name}", *("differs" for _ in content["runs"])] for name in content["files"]
    ]


def _gap(first: Mapping[str, Any], other: Mapping[str, Any], metric: str) -> Gap:
    found = other["differences"].get(metric)
    if found is None:  # not a mean over queries
        return Gap(f"{other['figures'][metric] - first['figures'][metric]:+.4f}")
    low, high = found["low"], found["high"]
    verdict = "better" if low > 0 else "worse" if high < 0 else ""
    return Gap(f"{found['difference']:+.4f}", f"{low:+.4f} to {high:+.4f}", verdict)


def _text(value: Any) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
