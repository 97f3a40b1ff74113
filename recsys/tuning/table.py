"""Tables of a study, from its record: for the command line, the page and the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def trial_columns(content: Mapping[str, Any]) -> list[str]:
    """Header: the trial, its figure, its state, its epochs and seconds, and each key."""
    keys = list(content["space"])
    return ["trial", content["metric"], "", "epochs", "seconds", *short(keys)]


def trial_lines(content: Mapping[str, Any]) -> list[list[str]]:
    """One line per trial, the best first."""
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


def variant_columns(metrics: Sequence[str]) -> list[str]:
    """Header: the variant, its figures, its difference from the reference, its minutes."""
    return ["variant", *metrics, "difference in std", "minutes"]


def variant_lines(
    variants: Mapping[str, Mapping[str, Any]], metrics: Sequence[str], *, reference: str
) -> list[list[str]]:
    """One line per variant, the best by the first metric first.

    The difference from the reference is in standard deviations of the reference, "stopped" where a
    training diverged, and that of the record where the variant has one of its own.

    Example:
        >>> base = {"figures": {"ndcg@10": 0.2, "ndcg@10.std": 0.1, "minutes": 3.0}}
        >>> wide = {"figures": {"ndcg@10": 0.25, "minutes": 4.0}}
        >>> variants = {"base": base, "wide": wide}
        >>> for line in variant_lines(variants, ["ndcg@10"], reference="base"):
        ...     print(line)
        ['wide', '0.2500', '+0.5', '4.0']
        ['base', '0.2000 ± 0.1000', '', '3.0']
    """
    by = metrics[0]
    base = variants.get(reference, {"figures": {}})["figures"]
    ordered = sorted(variants.items(), key=lambda each: -each[1]["figures"].get(by, -1.0))
    return [
        [
            name,
            *(figure_cell(variant["figures"], metric) for metric in metrics),
            "" if name == reference else _difference(variant, base, by),
            figure_cell(variant["figures"], "minutes", digits=1),
        ]
        for name, variant in ordered
    ]


def figure_cell(figures: Mapping[str, float], name: str, digits: int = 4) -> str:
    """A figure with its standard deviation; "" where it is missing.

    Example:
        >>> figure_cell({"ndcg@10": 0.07, "ndcg@10.std": 0.0005}, "ndcg@10")
        '0.0700 ± 0.0005'
    """
    if name not in figures:
        return ""
    spread = figures.get(f"{name}.std")
    cell = f"{figures[name]:,.{digits}f}"
    return cell if spread is None else f"{cell} ± {spread:,.{digits}f}"


def _difference(variant: Mapping[str, Any], base: Mapping[str, float], by: str) -> str:
    if "stopped" in variant:
        return "stopped"
    if "difference" in variant:
        return f"{variant['difference']:+.1f}"
    spread = base.get(f"{by}.std", 0.0)
    return f"{(variant['figures'][by] - base[by]) / spread:+.1f}" if spread else ""


def means(results: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean per figure over several results, and ``.std``, the sample standard deviation.

    Example:
        >>> means([{"mrr": 1.0}, {"mrr": 3.0}])
        {'mrr': 2.0, 'mrr.std': 1.4142135623730951}
        >>> means([{"mrr": 1.0}])
        {'mrr': 1.0}
    """
    figures: dict[str, float] = {}
    for name in results[0]:
        values = [result[name] for result in results]
        figures[name] = float(np.mean(values))
        if len(values) > 1:
            figures[f"{name}.std"] = float(np.std(values, ddof=1))
    return figures


def short(keys: Sequence[str]) -> list[str]:
    """Shortest endings of dotted keys that are unique.

    Example:
        >>> short(["train.loss.temperature", "train.epochs", "towers.history.window"])
        ['temperature', 'epochs', 'window']
        >>> short(["towers.id_dropout", "towers.history.dropout", "image.history.dropout"])
        ['id_dropout', 'towers.history.dropout', 'image.history.dropout']
    """
    endings = []
    for key in keys:
        parts = key.split(".")
        for count in range(1, len(parts) + 1):
            ending = ".".join(parts[-count:])
            if [other for other in keys if f".{other}".endswith(f".{ending}")] == [key]:
                break
        endings.append(ending)
    return endings
