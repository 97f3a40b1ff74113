"""Where a query stands in a space: the vector that its items are compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.encoders import Encoded
from recsys.errors import InvalidRequestError, RecsysError
from recsys.ids import Vectors
from recsys.retrieval.reading import Asked
from recsys.retrieval.space import TEXT, TWO_TOWER, Space
from recsys.towers import QueryBatch


@dataclass(frozen=True, eq=False)
class Place:
    """A query as a vector.

    Attributes:
        vector: float32 ``[d]``.
        unread_terms: Terms that did not count, because the text encoder knows none of their words.
    """

    vector: Vectors
    unread_terms: str | None = None


def place_by_towers(
    space: Space,
    asked: Sequence[Asked],
    terms: Encoded | None,
    encode: Callable[[QueryBatch], Vectors],
    *,
    reads_terms: bool,
) -> list[Place | RecsysError]:
    """Items by their own vector, everything else by the query tower, in one call.

    Args:
        space: The space of the towers.
        asked: Requests, read.
        terms: Their encoded terms, one line a request, or None where there are none.
        encode: The query tower.
        reads_terms: Whether terms can be encoded and the query tower reads them.
    """
    places: list[Place | RecsysError | None] = [None] * len(asked)
    for position, each in enumerate(asked):
        query = each.request.query
        if each.item is not None:
            places[position] = _place_of_item(space, each)
        elif query.terms is not None and not reads_terms:
            remedy = "give a user or a history, or search in the space 'text'"
            places[position] = InvalidRequestError(
                f"the space '{TWO_TOWER}' reads no search terms here; {remedy}",
                field="query.terms",
            )
        elif query.terms is not None and query.user_id is None and query.history is None:
            assert terms is not None
            if not terms.mask[position]:
                places[position] = _no_known_word(query.terms)
    towering = [position for position, place in enumerate(places) if place is None]
    if towering:
        vectors = encode(_query_batch([asked[position] for position in towering], terms, towering))
        for vector, position in zip(vectors, towering):
            text = asked[position].request.query.terms
            unread = terms is not None and not terms.mask[position]
            places[position] = Place(vector, text if unread else None)
    return [place for place in places if place is not None]


def place_by_content(
    space: Space, asked: Sequence[Asked], terms: Encoded | None, *, reads_terms: bool
) -> list[Place | RecsysError]:
    """Items by their own vector, terms by their encoding, a history by the mean of its items.

    Args:
        space: The space of a feature block.
        asked: Requests, read.
        terms: Their encoded terms, one line a request, or None where there are none.
        reads_terms: Whether terms can be encoded for this space.
    """
    places: list[Place | RecsysError] = []
    for position, each in enumerate(asked):
        text = each.request.query.terms
        if each.item is not None:
            places.append(_place_of_item(space, each))
        elif text is None:
            places.append(_place_of_history(space, each))
        elif not reads_terms or terms is None:
            places.append(
                InvalidRequestError(
                    f"the space '{space.name}' reads no search terms here; give an item, a user "
                    "or a history",
                    field="query.terms",
                )
            )
        elif not terms.mask[position]:
            places.append(_no_known_word(text))
        else:
            places.append(Place(_unit(terms.vectors[position])))
    return places


def _query_batch(
    asked: Sequence[Asked], terms: Encoded | None, positions: Sequence[int]
) -> QueryBatch:
    users = np.array([-1 if each.user is None else each.user for each in asked], np.int32)
    given = np.array([each.request.query.terms is not None for each in asked])
    return QueryBatch.of(
        [each.history for each in asked],
        users=np.maximum(users, 0),
        user_known=users >= 0,
        terms=None if terms is None else terms.vectors[list(positions)],
        terms_known=None if terms is None else terms.mask[list(positions)] & given,
    )


def _place_of_item(space: Space, asked: Asked) -> Place | RecsysError:
    assert asked.item is not None
    if not space.available[asked.item]:
        return InvalidRequestError(
            f"item {asked.request.query.item_id!r:.80} has no vector in the space '{space.name}'; "
            "ask in another space",
            field="query.item_id",
        )
    return Place(space.vectors[asked.item])


def _place_of_history(space: Space, asked: Asked) -> Place | RecsysError:
    query = asked.request.query
    rows = asked.history[space.available[asked.history]]
    if len(rows):
        vectors = space.vectors[rows].astype(np.float64)
        mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
        if np.linalg.norm(mean) > 1e-6:
            return Place(_unit(mean))
    remedy = "give a longer history or an item" + (" or terms" if space.name == TEXT else "")
    owner = "the user's history" if query.user_id is not None else "the history"
    if len(rows):
        what = f"the vectors of {owner} cancel out"
    elif len(asked.history):
        what = f"none of the {len(asked.history)} items of {owner} has a vector"
    else:
        what = f"{owner} is empty"
    return InvalidRequestError(
        f"{what} in the space '{space.name}', so nothing can be near it; {remedy}, "
        f"or ask in the space '{TWO_TOWER}'",
        field="query.user_id" if query.user_id is not None else "query.history",
    )


def _no_known_word(terms: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"the text encoder knows no word of {terms!r:.80}; search with other words",
        field="query.terms",
    )


def _unit(vector: Vectors | np.ndarray[tuple[int], np.dtype[np.float64]]) -> Vectors:
    precise = vector.astype(np.float64)
    scaled: Vectors = (precise / np.linalg.norm(precise)).astype(np.float32)
    return scaled
