"""Linear probes: how much of what is known of an item its vector tells a linear classifier.

Logistic regression on frozen vectors (Alain and Bengio, "Understanding intermediate layers using
linear classifier probes", 2016), scored on held-out items. A question is asked of every encoder
with the same items, values and folds.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask, Vectors

STRENGTH = 1.0
"""C of the logistic regression, on vectors whose mean square is 1 a dimension."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked, of whom, and who is held out when.

    Attributes:
        rows: The items that have a value, int64 ``[n]``.
        values: The values that are often enough, in alphabetical order.
        has: Which item has which value, bool ``[n, values]``.
        main: The place of each item's first value in ``values``, int64 ``[n]``; -1 where that
            value is too rare.
        fold: In which fold each item is held out, int64 ``[n]``.

    Example:
        >>> asked = Question.of([["a", "b"], ["b"], [], ["a"], ["b"]], least=2, folds=2, seed=0)
        >>> asked.rows.tolist(), asked.main.tolist(), np.bincount(asked.fold).tolist()
        ([0, 1, 3, 4], [0, 1, 0, 1], [2, 2])
    """

    rows: npt.NDArray[np.int64]
    values: tuple[str, ...]
    has: Mask
    main: npt.NDArray[np.int64]
    fold: npt.NDArray[np.int64]

    @classmethod
    def of(cls, values: Sequence[Sequence[str]], *, least: int, folds: int, seed: int) -> Question:
        """A question from each item's values, the main one first.

        Args:
            values: One list an item, empty where nothing is known.
            least: A value that fewer items have is not asked for; at least ``folds``.
            folds: In how many parts the items are held out; each holds every first value as
                often as the others, give or take one.
            seed: Of the folds.

        Raises:
            DataError: Fewer than two values are often enough as a first value.
        """
        least = max(least, folds)
        firsts = Counter(of_item[0] for of_item in values if of_item)
        often = Counter(value for of_item in values for value in set(of_item))
        asked = tuple(sorted(value for value, count in often.items() if count >= least))
        classes = [value for value in asked if firsts[value] >= least]
        if len(classes) < 2:
            raise DataError(
                f"a probe needs two values that at least {least} items have as their first one; "
                f"there are {len(classes)}: ask for another column or lower evaluation.least"
            )
        rows = np.array([row for row, of_item in enumerate(values) if of_item], np.int64)
        has = np.array([[value in values[row] for value in asked] for row in rows], np.bool_)
        place = {value: asked.index(value) for value in classes}
        main = np.array([place.get(values[row][0], -1) for row in rows], np.int64)
        order = np.lexsort((np.random.default_rng(seed).random(len(rows)), main))
        fold = np.empty(len(rows), np.int64)
        fold[order] = np.arange(len(rows)) % folds
        return cls(rows, asked, has, main, fold)

    @property
    def majority(self) -> float:
        """The accuracy of always naming the most frequent first value."""
        counted = self.main[self.main >= 0]
        return float(np.bincount(counted).max() / len(counted))


@dataclass(frozen=True)
class Answer:
    """How well a linear classifier reads a question's answer from the vectors.

    Attributes:
        accuracy: The share of held-out items whose first value is named.
        auc: Mean over the values of the area under the ROC curve of "has it" against "has it not",
            itself the mean over the folds; 0.5 is chance.
    """

    accuracy: float
    auc: float


def ask(question: Question, vectors: Vectors) -> Answer:
    """Probe the vectors of all items, float32 ``[items, d]``; an item without one is zeros.

    Such an item is asked for like any other: an encoder that leaves items out answers for it.
    """
    # Centred, one scale for all dimensions: their proportions are the encoder's to choose.
    x = vectors[question.rows].astype(np.float64)
    x -= x.mean(axis=0)
    x /= max(float(np.sqrt((x**2).mean())), 1e-12)
    right, counted = 0, 0
    areas: dict[str, list[float]] = {value: [] for value in question.values}
    for learned, held in _folds(question):
        known, told = learned & (question.main >= 0), held & (question.main >= 0)
        named = _fitted(x[known], question.main[known]).predict(x[told])
        right, counted = right + int((named == question.main[told]).sum()), counted + len(named)
        for place, value in enumerate(question.values):
            has = question.has[:, place]
            if 0 < has[held].sum() < held.sum() and 0 < has[learned].sum() < learned.sum():
                scores = _fitted(x[learned], has[learned]).decision_function(x[held])
                areas[value].append(_area(has[held], scores))
    return Answer(right / counted, float(np.mean([np.mean(a) for a in areas.values() if a])))


def _folds(question: Question) -> Iterator[tuple[Mask, Mask]]:
    for number in range(int(question.fold.max()) + 1):
        held = question.fold == number
        yield ~held, held


def _fitted(x: npt.NDArray[np.float64], y: npt.NDArray[Any]) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # The last digits of the weights do not move the figures that are shown.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=STRENGTH / x.shape[1], max_iter=200, tol=1e-3).fit(x, y)


def _area(has: Mask, scores: npt.NDArray[np.float64]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(has, scores))
