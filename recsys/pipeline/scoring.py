"""The two towers as a scorer of held-out queries, encoded as the service encodes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recsys.evaluation.scorers import VectorScorer
from recsys.ids import Mask, Vectors
from recsys.splits import HeldOutQueries
from recsys.towers import QueryBatch

if TYPE_CHECKING:
    from recsys.towers import AnyTowers


def batch_of(queries: HeldOutQueries, *, known: Mask, phrases: Vectors | None = None) -> QueryBatch:
    """Held-out queries as a batch for the towers; the targets are not read.

    With ``phrases``, the encoded ``queries.phrases``, a query has the search terms of its target.
    """
    terms = None if phrases is None else phrases[queries.terms]
    terms_known: Mask | None = None if terms is None else np.any(terms != 0, axis=1)
    return QueryBatch.of(
        queries.histories(),
        users=queries.user,
        user_known=known[queries.user],
        terms=terms,
        terms_known=terms_known,
        context=queries.context_rows,
        times=queries.times(),
    )


def towers_scorer(
    towers: AnyTowers, *, known: Mask, phrases: Vectors | None = None, name: str = "two_tower"
) -> VectorScorer:
    """Exact inner products of the towers' vectors; see :func:`batch_of`."""
    return VectorScorer(
        name,
        towers.item_vectors,
        lambda queries: towers.encode_many(batch_of(queries, known=known, phrases=phrases)),
    )
