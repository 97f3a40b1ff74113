"""What is evaluated: anything that scores the whole catalogue for queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError
from recsys.features import FeatureBlock, mean_of_items
from recsys.ids import Vectors
from recsys.splits.held_out import HeldOut, offsets_of, ranges


class Scorer(Protocol):
    """Scores every item for each query. It may read all of ``queries`` but the targets.

    A query's scores depend on that query alone: scored by itself or among others, today or again,
    they are the same. ``queries.terms`` is used only by a scorer that was asked to.
    """

    @property
    def name(self) -> str:
        """Under which name its figures appear."""

    def score(self, queries: HeldOut) -> npt.NDArray[Any]:
        """float32 ``[q, items]``; higher is better, -inf is never shown, NaN is refused."""


@dataclass(frozen=True, eq=False)
class VectorScorer:
    """Scores by inner product of a query's vector and the items' vectors.

    Attributes:
        name: Under which name its figures appear.
        items: float32 ``[items, d]``.
        encode: From q queries to float32 ``[q, d]``.

    Example:
        >>> queries = HeldOut.of(user=[0], histories=[[1]], targets=[[0]])
        >>> items = np.eye(2, dtype=np.float32)
        >>> def last_item(some: HeldOut) -> Vectors:
        ...     return items[[history[-1] for history in some.histories()]]
        >>> VectorScorer("last_item", items, last_item).score(queries).tolist()
        [[0.0, 1.0]]
    """

    name: str
    items: Vectors
    encode: Callable[[HeldOut], Vectors]

    def score(self, queries: HeldOut) -> Vectors:
        """float32 ``[q, items]``."""
        if not len(queries):
            return np.zeros((0, len(self.items)), np.float32)
        scores: Vectors = self.encode(queries) @ self.items.T
        return scores


@dataclass(frozen=True, eq=False)
class SumScorer:
    """The weighted sum of several scorers' scores, as several spaces answer together.

    What one of them never shows (-inf) the sum never shows.

    Attributes:
        name: Under which name its figures appear.
        parts: The scorers.
        weights: One a scorer, above 0.

    Raises:
        InvalidRequestError: No parts, not as many weights, or one that is not finite and above 0.

    Example:
        >>> queries = HeldOut.of(user=[0], histories=[[1]], targets=[[0]])
        >>> items = np.eye(2, dtype=np.float32)
        >>> first = VectorScorer("first", items, lambda some: items[[0]])
        >>> second = VectorScorer("second", items, lambda some: items[[1]])
        >>> SumScorer("both", (first, second), (1.0, 0.25)).score(queries).tolist()
        [[1.0, 0.25]]
    """

    name: str
    parts: Sequence[Scorer]
    weights: Sequence[float]

    def __post_init__(self) -> None:
        fit = len(self.parts) == len(self.weights) > 0
        if not fit or not all(0 < weight < np.inf for weight in self.weights):
            raise InvalidRequestError(
                f"a sum of {len(self.parts)} scorers needs as many weights, finite and above 0; "
                f"got {list(self.weights)}"
            )

    def score(self, queries: HeldOut) -> Vectors:
        """float32 ``[q, items]``."""
        total: Vectors = np.sum(
            [np.float32(w) * part.score(queries) for part, w in zip(self.parts, self.weights)],
            axis=0,
            dtype=np.float32,
        )
        return total


@dataclass(frozen=True, eq=False)
class MeanOfItemsScorer:
    """A user is the mean of the vectors of their history's items; scored by inner product.

    With a block of encoded titles this is "the mean of the titles they engaged with": what content
    gives before anything is learned from interactions (the content-based profile of Pazzani and
    Billsus, 2007, with dense vectors). s(h, i) = x(i) . mean of x(j) over the j in h that have a
    vector.

    - An item without a vector has the score -inf: it is never shown.
    - A history without a vector (empty, or only such items) gives every other item the score 0, a
      tie: judged, it finds nothing.
    - An item that was met twice counts twice.

    Attributes:
        block: One vector an item.
        last: How many of the latest items of a history speak; None is all.
        name: Under which name its figures appear.

    Raises:
        InvalidRequestError: ``last`` is below 1.

    Example:
        >>> block = FeatureBlock(np.eye(3, dtype=np.float32), np.ones(3, bool), "title")
        >>> queries = HeldOut.of(user=[0], histories=[[0, 2]], targets=[[1]])
        >>> MeanOfItemsScorer(block).score(queries).tolist()
        [[0.5, 0.0, 0.5]]
    """

    block: FeatureBlock = field(repr=False)
    last: int | None = None
    name: str = "mean_of_items"

    def __post_init__(self) -> None:
        if self.last is not None and self.last < 1:
            raise InvalidRequestError(f"last must be 1 or more, or None for all; got {self.last}")

    def score(self, queries: HeldOut) -> Vectors:
        """float32 ``[q, items]``."""
        scores: Vectors = mean_of_histories(self.block, queries, self.last) @ self.block.vectors.T
        scores[:, ~self.block.mask] = -np.inf
        return scores


def mean_of_histories(block: FeatureBlock, queries: HeldOut, last: int | None = None) -> Vectors:
    """Each query's mean over the ``last`` items of its history, float32 ``[q, d]``."""
    lengths = queries.history_lengths
    if last is not None:
        lengths = np.minimum(lengths, last)
    rows = queries.pool[ranges(queries.history_stop - lengths, lengths)]
    return mean_of_items(block, rows, offsets_of(lengths))
