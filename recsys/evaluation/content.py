"""Content without a model: a user is the mean of the items they met."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recsys.errors import InvalidRequestError
from recsys.features import FeatureBlock, mean_of_items
from recsys.ids import Vectors
from recsys.splits.held_out import HeldOut, offsets_of, ranges


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
