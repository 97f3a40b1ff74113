"""Items of the history that are similar to an item, by the vectors of each space."""

from __future__ import annotations

import numpy as np

from recsys.feed.context import FeedContext
from recsys.ids import Rows, Vectors
from recsys_client.feed import SimilarItem

MOST = 2
"""Number of items of the history that are named per space."""
WINDOW = 100
"""Number of different items, from the end of the history, that are compared."""


def similar_history(context: FeedContext, rows: Rows) -> list[tuple[SimilarItem, ...]]:
    """The most similar items of the history in each space, the most similar first.

    Args:
        context: The request, with the history.
        rows: Item rows, int32 ``[n]``.

    Returns:
        One tuple per row; empty where neither it nor the history has a vector.
    """
    found: list[list[SimilarItem]] = [[] for _ in rows]
    history = context.last(WINDOW)
    if len(history) and len(rows):
        ids = context.view.retriever.catalogue.ids.ids(history)
        for space in context.view.retriever.spaces:
            past = _directions(context.view.vectors(space, history))
            cosines = _directions(context.view.vectors(space, rows)) @ past.T
            best = np.argsort(-cosines, axis=1, kind="stable")[:, :MOST]
            for line, nearest in enumerate(best.tolist()):
                found[line] += [
                    SimilarItem(ids[at], space, min(float(cosines[line, at]), 1.0))
                    for at in nearest
                    if cosines[line, at]
                ]
    return [tuple(sorted(each, key=lambda item: -item.similarity)) for each in found]


def _directions(vectors: Vectors) -> Vectors:
    """The vectors with length 1; zeros where an item has none."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
