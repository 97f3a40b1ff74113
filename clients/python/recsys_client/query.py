"""A query in the caller's ids, and the checks that do not depend on the data."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import TypedDict

from recsys_client.checks import MAX_ID, checked_ids, checked_sequence, id_fault
from recsys_client.errors import InvalidRequestError

MAX_LENGTH, MIN_LENGTH = 1e6, 1e-6
"""Bounds of the Euclidean length of a vector, beyond which scores leave float32."""


_SINGLE = ("item_id", "item_ids", "vector")
"""Fields that exclude every other one."""


class QueryFields(TypedDict, total=False):
    """The fields of a :class:`Query`, as keyword arguments."""

    user_id: str | None
    history: Sequence[str] | None
    terms: str | None
    item_id: str | None
    image: bytes | None
    context: Mapping[str, str]
    history_times: Sequence[int] | None
    item_ids: Sequence[str] | None
    vector: Sequence[float] | None


@dataclass(frozen=True)
class Query:
    """A user, a history, search terms, a picture or several of them; or items, or a vector.

    Every space reads a user, a history, items and a vector. Terms are read by ``text`` and, where
    the towers were trained on searches, by ``two_tower``; a picture by ``image``; context and times
    by ``two_tower``, where the towers were trained with them.

    Attributes:
        user_id: A user of the log, whose history is the one in the log.
        history: Item ids, oldest first; empty for a user without interactions.
        terms: Search terms.
        item_id: An item, to find its neighbours. Excludes every other field.
        image: Bytes of a picture's file, JPEG, PNG, GIF, WebP, BMP or TIFF; it
            need not be in the catalogue.
        context: Value of each context column that is known.
        history_times: Time of each item of ``history`` in seconds since 1970, ascending.
        item_ids: Several items, to find items near all of them; their vectors are averaged.
            Excludes every other field.
        vector: A vector of the one space that is searched, with as many finite numbers as the
            space has dimensions; rounded to float32. Scores are inner products with it. Excludes
            every other field.

    Example:
        >>> Query(history=["lamp", "rug"], terms="blue").history
        ('lamp', 'rug')
    """

    user_id: str | None = None
    history: Sequence[str] | None = None
    terms: str | None = None
    item_id: str | None = None
    image: bytes | None = field(default=None, repr=False)
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    history_times: Sequence[int] | None = None
    item_ids: Sequence[str] | None = None
    vector: Sequence[float] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.history is not None:
            object.__setattr__(self, "history", checked_ids("query.history", self.history))
        object.__setattr__(self, "context", _checked_context(self.context))
        if self.history_times is not None:
            if self.history is None:
                raise InvalidRequestError(
                    "history_times needs a history; give both or neither",
                    field="query.history_times",
                )
            times = _checked_times(self.history_times)
            object.__setattr__(self, "history_times", times if times or self.history else None)
        if self.item_ids is not None:
            object.__setattr__(self, "item_ids", checked_ids("query.item_ids", self.item_ids))
        if self.vector is not None:
            object.__setattr__(self, "vector", _checked_vector(self.vector))


def _checked_context(context: Mapping[str, str]) -> dict[str, str]:
    pairs = list(context.items()) if isinstance(context, Mapping) else [(context, None)]
    for column, value in pairs:
        if not all(isinstance(text, str) and text for text in (column, value)):
            raise InvalidRequestError(
                "context must map names of columns to values, both non-empty strings; "
                f"got {value!r:.80} for {column!r:.80}",
                field="query.context",
            )
    return dict(context)


def _checked_times(values: Sequence[int]) -> tuple[int, ...]:
    times = checked_sequence("query.history_times", "times", values)
    for position, value in enumerate(times):
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole or not -(2**63) <= value < 2**63:
            raise InvalidRequestError(
                "history_times must hold whole seconds since 1970; position "
                f"{position} holds {value!r:.80}",
                field=f"query.history_times[{position}]",
            )
    return tuple(map(int, times))


def _checked_vector(values: Sequence[float]) -> tuple[float, ...]:
    numbers = checked_sequence("query.vector", "numbers", values)
    try:
        vector = tuple(array("f", numbers))
    except (TypeError, OverflowError) as error:
        raise InvalidRequestError(
            f"vector must hold numbers; {error}", field="query.vector"
        ) from error
    length = math.hypot(*vector)
    if not MIN_LENGTH <= length <= MAX_LENGTH:  # also where a number is not finite
        raise InvalidRequestError(
            f"vector must hold finite numbers and have a length from {MIN_LENGTH:f} to "
            f"{MAX_LENGTH:,.0f}; got one of {len(vector):,} numbers with length {length:g}",
            field="query.vector",
        )
    return vector


def check_query(query: Query) -> None:
    """Refuse a query whose parts are invalid or contradict each other."""
    for name in ("user_id", "terms", "item_id"):
        value = getattr(query, name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise InvalidRequestError(
                f"{name} must be a string that is not blank; got {value!r:.80}",
                field=f"query.{name}",
            )
        if (
            value is not None and name != "terms" and id_fault(value)
        ):  # blank ones are refused above
            raise InvalidRequestError(
                f"{name} has {len(value):,} characters; an id has at most {MAX_ID}",
                field=f"query.{name}",
            )
    if query.image is not None and not isinstance(query.image, bytes):
        raise InvalidRequestError(
            f"image must be the bytes of a picture's file; got {type(query.image).__name__}: "
            "read the file first",
            field="query.image",
        )
    parts = ("user_id", "history", "terms", "image")
    given = [name for name in parts if getattr(query, name) is not None]
    single = [name for name in _SINGLE if getattr(query, name) is not None]
    others = [*given, *(["context"] if query.context else []), *single[1:]]
    if single and others:
        raise InvalidRequestError(
            f"{single[0]} stands alone; leave out {' and '.join(others)}",
            field=f"query.{single[0]}",
        )
    if query.item_ids == ():
        raise InvalidRequestError(
            "item_ids is empty; give the ids of the items to find neighbours of",
            field="query.item_ids",
        )
    if query.user_id is not None and query.history is not None:
        raise InvalidRequestError(
            "user_id brings its own history; give user_id or history, not both",
            field="query.history",
        )
    if not single and not given:
        raise InvalidRequestError(
            "the query is empty; give user_id, history, terms, image, item_id, item_ids or vector",
            field="query",
        )
    _check_times(query)


def _check_times(query: Query) -> None:
    times, history = query.history_times, query.history or ()
    if times is None:
        return
    if len(times) != len(history):
        raise InvalidRequestError(
            f"history_times must hold one time per item of history; got {len(times)} for "
            f"{len(history)}",
            field="query.history_times",
        )
    for position in range(1, len(times)):
        if times[position] < times[position - 1]:
            raise InvalidRequestError(
                f"history_times must not descend, since the oldest item comes first; position "
                f"{position} does",
                field=f"query.history_times[{position}]",
            )
