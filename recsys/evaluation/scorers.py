"""What is evaluated: anything that scores the whole catalogue for queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recsys.ids import Vectors
from recsys.splits.held_out import HeldOut


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
