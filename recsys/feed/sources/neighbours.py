"""Sources that search a space: for the user, for recent items and for search terms."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from recsys.errors import InvalidRequestError
from recsys.feed.candidates import Retrieved, concatenated
from recsys.feed.context import FeedContext
from recsys.feed.stages import Source
from recsys.ids import Vectors
from recsys.retrieval import TEXT, TWO_TOWER, Query, Request, Space


class TwoTower(Source):
    """Items nearest to the user, by the query tower.

    Attributes:
        effort: Cost of the search relative to the tuned one, 0.1 to 10.
    """

    stage: Literal["two_tower"] = "two_tower"
    k: int = Field(300, ge=1, le=10_000)
    effort: float = Field(1.0, ge=0.1, le=10)

    def idle(self, context: FeedContext) -> str:
        """Why the towers have nothing to read."""
        if context.query is None:
            return "the bundle has no towers"
        query = context.query.request.query
        known = context.known_user or query.terms is not None or query.context
        return "" if known else "the user has no history"

    def run(self, context: FeedContext) -> Retrieved:
        """The items nearest to the vector of the request."""
        space = context.view.retriever.spaces[TWO_TOWER]
        vectors = context.user_vector()[None]
        return _search(space, vectors, self.k, context, effort=self.effort)[0]


class SimilarItems(Source):
    """Items nearest to each of the last items of the history; the nearest of each come first.

    Attributes:
        space: Space whose neighbours are searched.
        last: Number of different items, from the end of the history.
    """

    stage: Literal["similar"] = "similar"
    weight: float = Field(0.01, ge=0)
    space: str = TWO_TOWER
    last: int = Field(5, ge=1, le=100)

    def idle(self, context: FeedContext) -> str:
        """Why there are no neighbours."""
        if context.view.space(self.space) is None:
            return f"the bundle has no space '{self.space}'"
        return "" if len(context.history) else "the user has no history"

    def run(self, context: FeedContext) -> Retrieved:
        """The neighbours of the last items in turn."""
        space, rows = context.view.retriever.spaces[self.space], context.last(self.last)
        rows = rows[np.asarray(space.mask[rows], np.bool_)]
        if not len(rows):
            return concatenated([])
        vectors = context.view.vectors(self.space, rows)
        each = -(-self.k // len(rows)) + len(rows)  # Neighbours of two items may be the same.
        return concatenated(_search(space, vectors, each, context))


class SearchTerms(Source):
    """Items nearest to the search terms, by the text encoder."""

    stage: Literal["terms"] = "terms"

    def idle(self, context: FeedContext) -> str:
        """Why nothing is searched."""
        if "terms" not in context.view.retriever.reads(TEXT):
            return "the bundle has no text encoder with a space"
        return "" if context.request.query.terms else "the request has no search terms"

    def run(self, context: FeedContext) -> Retrieved:
        """The items whose text is nearest to the terms."""
        retriever, terms = context.view.retriever, context.request.query.terms
        parsed = retriever.parse(Request(Query(terms=terms), k=1, space=TEXT))
        try:
            vector = retriever.encode(parsed)[TEXT].vector
        except InvalidRequestError:  # The encoder knows none of the words.
            return concatenated([])
        return _search(retriever.spaces[TEXT], vector[None], self.k, context)[0]


def _search(
    space: Space, vectors: Vectors, k: int, context: FeedContext, *, effort: float = 1.0
) -> list[Retrieved]:
    hidden = [context.hidden] * len(vectors)
    hits = space.search(vectors, k, exclude=hidden, allowed=context.allowed, effort=effort)
    return [Retrieved(*hits.at(query)) for query in range(len(vectors))]
