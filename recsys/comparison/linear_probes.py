"""Linear probes: how well a linear classifier predicts an item's attribute from its vector.

Logistic regression on frozen vectors (Alain and Bengio, "Understanding intermediate layers using
linear classifier probes", 2016), scored on held-out items. Every encoder is probed with the same
items, values and folds.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask, Vectors

STRENGTH = 1.0
"""C of the logistic regression, for vectors whose mean square is 1 per dimension."""


@dataclass(frozen=True, eq=False)
class ProbeTask:
    """Labels of a probe and the fold in which each item is held out.

    Attributes:
        rows: Items that have a value, int64 ``[n]``.
        values: Frequent values, in alphabetical order.
        labels: Whether each item has each value, bool ``[n, values]``.
        first: Index in ``values`` of each item's first value, int64 ``[n]``; -1 if it is rare.
        fold: Fold in which each item is held out, int64 ``[n]``.

    Example:
        >>> task = ProbeTask.of([["a", "b"], ["b"], [], ["a"], ["b"]], min_items=2, folds=2, seed=0)
        >>> task.rows.tolist(), task.first.tolist(), np.bincount(task.fold).tolist()
        ([0, 1, 3, 4], [0, 1, 0, 1], [2, 2])
    """

    rows: npt.NDArray[np.int64]
    values: tuple[str, ...]
    labels: Mask
    first: npt.NDArray[np.int64]
    fold: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, values: Sequence[Sequence[str]], *, min_items: int, folds: int, seed: int
    ) -> ProbeTask:
        """The task for each item's values, the main one first.

        Args:
            values: Values per item, empty where none is known.
            min_items: Minimum number of items per value; at least ``folds``.
            folds: Number of folds, stratified by first value.
            seed: Seed of the folds.

        Raises:
            DataError: Fewer than two values are frequent as a first value.
        """
        min_items = max(min_items, folds)
        firsts = Counter(of_item[0] for of_item in values if of_item)
        counts = Counter(value for of_item in values for value in set(of_item))
        frequent = tuple(sorted(value for value, count in counts.items() if count >= min_items))
        classes = {v: at for at, v in enumerate(frequent) if firsts[v] >= min_items}
        if len(classes) < 2:
            raise DataError(
                f"a probe needs two values that at least {min_items} items have as their first "
                f"one; there are {len(classes)}: choose another column or lower "
                "evaluation.min_items"
            )
        rows = np.array([row for row, of_item in enumerate(values) if of_item], np.int64)
        labels = np.array([[value in values[row] for value in frequent] for row in rows], np.bool_)
        first = np.array([classes.get(values[row][0], -1) for row in rows], np.int64)
        order = np.lexsort((np.random.default_rng(seed).random(len(rows)), first))
        fold = np.empty(len(rows), np.int64)
        fold[order] = np.arange(len(rows)) % folds
        return cls(rows, frequent, labels, first, fold)

    @property
    def majority(self) -> float:
        """Accuracy of always predicting the most frequent first value."""
        counted = self.first[self.first >= 0]
        return float(np.bincount(counted).max() / len(counted))


@dataclass(frozen=True)
class ProbeResult:
    """Scores of a linear probe on held-out items.

    Attributes:
        accuracy: Share of items whose first value is predicted.
        auc: Area under the ROC curve of each value against the rest, mean over folds, then over
            values; 0.5 is chance.
    """

    accuracy: float
    auc: float


def run_probe(task: ProbeTask, vectors: Vectors) -> ProbeResult:
    """Probe the vectors of all items, float32 ``[items, d]``, with zeros for missing ones.

    Items without a vector count as well: an encoder is scored on its coverage, too.
    """
    # Centred, with one scale for all dimensions: their proportions belong to the encoder.
    x = vectors[task.rows].astype(np.float64)
    x -= x.mean(axis=0)
    x /= max(float(np.sqrt((x**2).mean())), 1e-12)
    correct, counted = 0, 0
    areas: dict[int, list[float]] = {at: [] for at in range(len(task.values))}
    for number in range(int(task.fold.max()) + 1):
        test = task.fold == number
        train, known = ~test, task.first >= 0
        predicted = _fit(x[train & known], task.first[train & known]).predict(x[test & known])
        correct += int((predicted == task.first[test & known]).sum())
        counted += len(predicted)
        for at, found in areas.items():
            label = task.labels[:, at]
            if 0 < label[test].sum() < test.sum() and 0 < label[train].sum() < train.sum():
                scores = _fit(x[train], label[train]).decision_function(x[test])
                found.append(_area(label[test], scores))
    return ProbeResult(
        correct / counted, float(np.mean([np.mean(found) for found in areas.values() if found]))
    )


def _fit(x: npt.NDArray[np.float64], y: npt.NDArray[Any]) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # The last digits of the weights do not change the figures that are shown.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=STRENGTH / x.shape[1], max_iter=200, tol=1e-3).fit(x, y)


def _area(label: Mask, scores: npt.NDArray[np.float64]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(label, scores))
