"""The table of a study's trials, from its record: for the command line and the page alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def columns_of(content: Mapping[str, Any]) -> list[str]:
    """Heads: the trial, its figure, how it ended, its epochs and seconds, and each key."""
    keys = list(content["space"])
    return ["trial", content["metric"], "", "epochs", "seconds", *short(keys)]


def lines_of(content: Mapping[str, Any]) -> list[list[str]]:
    """One line a trial, as many cells as there are columns; the best first."""
    lines = []
    for trial in content["trials"]:
        figure = trial["figure"]
        state = "best" if trial["number"] == content["best"] else trial["state"]
        lines.append(
            [
                str(trial["number"]),
                "" if figure is None else f"{figure:.4f}",
                "" if state == "complete" else state,
                str(max(map(int, trial["epochs"]), default="")),
                f"{trial['seconds']:.1f}",
                *(trial["labels"].get(key, "") for key in content["space"]),
            ]
        )
    return lines


def short(keys: Sequence[str]) -> list[str]:
    """Dotted keys without the parts that say nothing: each the shortest end that is its own.

    Example:
        >>> short(["train.loss.temperature", "train.epochs", "towers.history.window"])
        ['temperature', 'epochs', 'window']
        >>> short(["towers.id_dropout", "towers.history.dropout", "image.history.dropout"])
        ['id_dropout', 'towers.history.dropout', 'image.history.dropout']
    """
    ends = []
    for key in keys:
        parts = key.split(".")
        for count in range(1, len(parts) + 1):
            end = ".".join(parts[-count:])
            alike = [other for other in keys if f".{other}".endswith(f".{end}")]
            if alike == [key]:
                break
        ends.append(end)
    return ends
