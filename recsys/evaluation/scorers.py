"""Scorers: anything that scores the whole catalogue for queries can be evaluated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError
from recsys.features import FeatureBlock, mean_of_items
from recsys.ids import Vectors
from recsys.splits.held_out import HeldOutQueries, offsets_of, ranges


class Scorer(Protocol):
    """Scores every item for each query, without reading the targets.

    The scores of a query are deterministic and do not depend on other queries. ``queries.terms`` is
    read only by scorers configured for search.
    """

    @property
    def name(self) -> str:
        """Name of its figures."""

    def score(self, queries: HeldOutQueries) -> npt.NDArray[Any]:
        """float32 ``[q, items]``; higher is better, -inf is never listed, NaN is an error."""


@dataclass(frozen=True, eq=False)
class VectorScorer:
    """Scores by inner product of a query's vector and the items' vectors.

    Attributes:
        name: Name of its figures.
        items: float32 ``[items, d]``.
        encode: Function from q queries to float32 ``[q, d]``.

    Example:
        >>> queries = HeldOutQueries.of(user=[0], histories=[[1]], targets=[[0]])
        >>> items = np.eye(2, dtype=np.float32)
        >>> def last_item(some: HeldOutQueries) -> Vectors:
        ...     return items[[history[-1] for history in some.histories()]]
        >>> VectorScorer("last_item", items, last_item).score(queries).tolist()
        [[0.0, 1.0]]
    """

    name: str
    items: Vectors
    encode: Callable[[HeldOutQueries], Vectors]

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]``."""
        if not len(queries):
            return np.zeros((0, len(self.items)), np.float32)
        scores: Vectors = self.encode(queries) @ self.items.T
        return scores


@dataclass(frozen=True, eq=False)
class SumScorer:
    """The weighted sum of several scorers, as in fusion by score; -inf wherever one has it.

    Raises:
        InvalidRequestError: There are no parts, or a weight is missing, not finite or not above 0.

    Example:
        >>> queries = HeldOutQueries.of(user=[0], histories=[[1]], targets=[[0]])
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

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]``."""
        total: Vectors = np.sum(
            [np.float32(w) * part.score(queries) for part, w in zip(self.parts, self.weights)],
            axis=0,
            dtype=np.float32,
        )
        return total


@dataclass(frozen=True, eq=False)
class MeanOfItemsScorer:
    """Inner product with the mean of the vectors of a history's items.

    The content-based profile of Pazzani and Billsus (2007) with dense vectors, without training on
    interactions. Repeated items count repeatedly. An item without a vector scores -inf; for a
    history without vectors all other items score 0.

    Attributes:
        block: One vector per item.
        last: Number of latest items of a history to read, 1 or more; None for all.

    Example:
        >>> block = FeatureBlock(np.eye(3, dtype=np.float32), np.ones(3, bool), "title")
        >>> queries = HeldOutQueries.of(user=[0], histories=[[0, 2]], targets=[[1]])
        >>> MeanOfItemsScorer(block).score(queries).tolist()
        [[0.5, 0.0, 0.5]]
    """

    block: FeatureBlock = field(repr=False)
    last: int | None = None
    name: str = "mean_of_items"

    def __post_init__(self) -> None:
        if self.last is not None and self.last < 1:
            raise InvalidRequestError(f"last must be 1 or more, or None for all; got {self.last}")

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]``."""
        lengths = np.minimum(queries.history_lengths, self.last or np.inf).astype(np.int64)
        rows = queries.pool[ranges(queries.history_stop - lengths, lengths)]
        means = mean_of_items(self.block, rows, offsets_of(lengths))
        scores: Vectors = means @ self.block.vectors.T
        scores[:, ~self.block.mask] = -np.inf
        return scores
