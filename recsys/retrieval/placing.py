"""Where a query stands in a space: the vector that its items are compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.encoders import Encoded
from recsys.errors import InvalidRequestError, RecsysError
from recsys.ids import Vectors
from recsys.retrieval.contents import Contents
from recsys.retrieval.reading import Asked
from recsys.retrieval.space import IMAGE, TEXT, TWO_TOWER, Space
from recsys.towers import QueryBatch

_ALSO = {TEXT: " or terms", IMAGE: " or a picture"}


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
    contents: Contents,
    encode: Callable[[QueryBatch], Vectors],
    *,
    reads: frozenset[str],
) -> list[Place | RecsysError]:
    """Items by their own vector, everything else by the query tower, in one call.

    Args:
        space: The space of the towers.
        asked: Requests, read, and without parts that the towers do not read.
        contents: Their encoded terms, one line a request.
        encode: The query tower.
        reads: Which of "history", "user" and "terms" it reads.
    """
    terms = contents.terms
    places: list[Place | RecsysError | None] = [None] * len(asked)
    for position, each in enumerate(asked):
        query = each.request.query
        if each.item is not None:
            places[position] = _place_of_item(space, each)
        elif query.terms is None:
            places[position] = _not_read(each, reads)
        elif query.user_id is None and query.history is None:
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
    space: Space, asked: Sequence[Asked], contents: Contents
) -> list[Place | RecsysError]:
    """Items by their own vector, a picture or terms by the encoding, a history by its items' mean.

    Args:
        space: The space of a feature block.
        asked: Requests, read, and without parts that the space does not read.
        contents: Their encoded terms and pictures, one line a request.
    """
    places: list[Place | RecsysError] = []
    for position, each in enumerate(asked):
        query = each.request.query
        if each.item is not None:
            places.append(_place_of_item(space, each))
        elif query.image is not None:
            assert contents.pictures is not None
            fault = contents.unreadable(position)
            places.append(fault or Place(_unit(contents.pictures.vectors[position])))
        elif query.terms is None:
            places.append(_place_of_history(space, each))
        else:
            assert contents.terms is not None
            known = contents.terms.mask[position]
            vector = contents.terms.vectors[position]
            places.append(Place(_unit(vector)) if known else _no_known_word(query.terms))
    return places


def _not_read(asked: Asked, reads: frozenset[str]) -> InvalidRequestError | None:
    """Why towers that read little of a query without terms would answer all such queries alike."""
    query = asked.request.query
    part = "history" if query.user_id is None else "user"
    if "history" in reads or (part == "user" and part in reads):
        return None
    noun, field = ("users", "user_id") if part == "user" else ("histories", "history")
    remedies = {"user": "a user that the log knows", "terms": "search terms"}
    remedy = " or ".join(text for name, text in remedies.items() if name in reads)
    return InvalidRequestError(
        f"the query tower here reads no {noun}: every such query would have one answer; give "
        f"{remedy or 'an item'}, or ask in another space",
        field=f"query.{field}",
    )


def _query_batch(
    asked: Sequence[Asked], terms: Encoded | None, positions: Sequence[int]
) -> QueryBatch:
    users = np.array([-1 if each.user is None else each.user for each in asked], np.int32)
    given = np.array([each.request.query.terms is not None for each in asked])
    timed = np.array([each.times is not None for each in asked])
    return QueryBatch.of(
        [each.history for each in asked],
        times=[np.zeros(0, np.int64) if each.times is None else each.times for each in asked],
        times_known=timed,
        users=np.maximum(users, 0),
        user_known=users >= 0,
        terms=None if terms is None else terms.vectors[list(positions)],
        terms_known=None if terms is None else terms.mask[list(positions)] & given,
    )


def _place_of_item(space: Space, asked: Asked) -> Place | RecsysError:
    assert asked.item is not None
    if not space.mask[asked.item]:
        return InvalidRequestError(
            f"item {asked.request.query.item_id!r:.80} has no vector in the space '{space.name}'; "
            "ask in another space",
            field="query.item_id",
        )
    return Place(space.vectors[asked.item])


def _place_of_history(space: Space, asked: Asked) -> Place | RecsysError:
    query = asked.request.query
    rows = asked.history[space.mask[asked.history]]
    if len(rows):
        vectors = space.vectors[rows].astype(np.float64)
        mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
        if np.linalg.norm(mean) > 1e-6:
            return Place(_unit(mean))
    remedy = "give a longer history or an item" + _ALSO.get(space.name, "")
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
