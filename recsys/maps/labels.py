"""Labels of points: the values of a column, at most a few of them, or ranges of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

MOST = 12
"""Largest number of labels; the values of the others are labelled "other"."""
OTHER, NONE = "other", "none"
_RANGES = 5


def point_labels(values: Sequence[str | float | bool | None]) -> tuple[list[str], list[int]]:
    """The labels of values, the most frequent first, and the position of the label of each value.

    Numbers with more than 12 different values get up to five ranges of equally many, in their
    order. A missing value has the label "none", which is the last one.

    Example:
        >>> point_labels(["rug", "lamp", "lamp", None])
        (['lamp', 'rug', 'none'], [1, 0, 0, 2])
    """
    numbers = [each for each in values if isinstance(each, int | float)]
    if len(set(numbers)) > MOST and not any(isinstance(each, str | bool) for each in values):
        texts, order = _ranges(values)
    else:
        texts = [None if each is None else _text(each) for each in values]
        counts = Counter(each for each in texts if each is not None)
        order = sorted(counts, key=lambda text: (-counts[text], text))
    if len(order) > MOST:
        kept = set(order[: MOST - 1])
        texts = [each if each is None or each in kept else OTHER for each in texts]
        order = [*order[: MOST - 1], OTHER]
    if None in texts:
        order.append(NONE)
    position = {text: at for at, text in enumerate(order)}
    return order, [position[NONE if each is None else each] for each in texts]


def _ranges(values: Sequence[str | float | bool | None]) -> tuple[list[str | None], list[str]]:
    """The range of each number as text, and the ranges in their order."""
    numbers = np.array([np.nan if each is None else float(each) for each in values])
    bounds = np.unique(np.nanquantile(numbers, np.linspace(0, 1, _RANGES + 1)))
    names = [f"{_number(low)} to {_number(high)}" for low, high in zip(bounds, bounds[1:])]
    at = np.clip(np.searchsorted(bounds, numbers, side="right") - 1, 0, len(names) - 1)
    texts = [None if np.isnan(number) else names[row] for number, row in zip(numbers, at.tolist())]
    return texts, list(dict.fromkeys(names))


def _text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(value) if isinstance(value, int | float) else value


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
