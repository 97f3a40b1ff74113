"""From a request in ids to the context in rows that the stages read."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from recsys.errors import RecsysError
from recsys.feed.context import FeedContext
from recsys.feed.filters import Available, MaximumAge, Predicate
from recsys.feed.pipeline import Pipeline
from recsys.feed.view import FeedView
from recsys.ids import Rows, Vectors
from recsys.index import RowSet
from recsys.interactions import UserHistory
from recsys.retrieval import TWO_TOWER, Query, Request
from recsys.retrieval.parsing import ParsedRequest
from recsys_client.feed import FeedRequest, UnknownValue
from recsys_client.filters import Contains, Filter, In, Or

_LISTED = ("candidates", "pinned", "promoted")


def resolve(request: FeedRequest, pipeline: Pipeline, view: FeedView) -> FeedContext:
    """The context of a checked request.

    Unknown users and ids are no error: the user has no history, and the ids are reported.

    Raises:
        InvalidRequestError: A filter, a column of ``blocked`` or ``followed``, or the context does
            not fit the data; ``field`` names it.
    """
    history, unknown_history = _history(request, view)
    query = _tower_query(request, history, view)
    excluded, unknown_excluded = _known(view, request.exclude)
    rows, absent = zip(*(_known(view, getattr(request, name)) for name in _LISTED))
    unknown = {
        "history": unknown_history,
        "exclude": unknown_excluded,
        "candidates": tuple(chain.from_iterable(absent)),
    }
    given, first = np.unique(rows[0], return_index=True)
    order = np.argsort(first)
    context = FeedContext(
        request,
        view,
        query,
        history.items,
        history.times,
        excluded,
        given=given[order],
        given_scores=_scores(request, view, first[order]),
        blocked=_having(request.blocked, "blocked", view),
        followed=_having(request.followed, "followed", view),
        pinned=rows[1],
        promoted=rows[2],
        now=int(time.time()) if request.now is None else request.now,
        seed=secrets.randbits(63) if request.seed is None else request.seed,
        known_user=len(history.items) > 0,
        unknown=unknown,
    )
    conditions = list(_conditions(context, pipeline))
    return replace(context, allowed=view.matching(conditions))


def _history(request: FeedRequest, view: FeedView) -> tuple[UserHistory, tuple[str, ...]]:
    query, none = request.query, UserHistory(None, np.empty(0, np.int32), None)
    if query.user_id is not None:
        return view.retriever.log.find(query.user_id) or none, ()
    if query.history is None:
        return none, ()
    rows, unknown = _known(view, query.history)
    if query.history_times is None:
        return UserHistory(None, rows, None), unknown
    known, pairs = view.retriever.catalogue.ids, zip(query.history, query.history_times)
    times = np.array([time for id_, time in pairs if not unknown or id_ in known], np.int64)
    return UserHistory(None, rows, times), unknown


def _tower_query(
    request: FeedRequest, history: UserHistory, view: FeedView
) -> ParsedRequest | None:
    """What the query tower reads of the request, parsed."""
    if TWO_TOWER not in view.retriever.spaces:
        return None
    query, reads = request.query, view.retriever.reads(TWO_TOWER)
    known = query.user_id is not None and view.retriever.log.find(query.user_id) is not None
    own = Query(
        user_id=query.user_id if known else None,
        history=None if known else query.history or (),
        history_times=query.history_times if query.history and "history_times" in reads else None,
        terms=query.terms if "terms" in reads else None,
        context=query.context,
    )
    return view.retriever.parse(Request(own, k=1))


def _known(view: FeedView, ids: Sequence[str]) -> tuple[Rows, tuple[str, ...]]:
    """Rows of the known ids, and the unknown ids without repeats."""
    if not ids:
        return np.empty(0, np.int32), ()
    known = view.retriever.catalogue.ids
    rows = known.rows(ids, unknown="skip")
    if len(rows) == len(ids):
        return rows, ()
    return rows, tuple(dict.fromkeys(id_ for id_ in ids if id_ not in known))


def _scores(request: FeedRequest, view: FeedView, order: NDArray[np.int64]) -> Vectors | None:
    """Scores of the known candidates in an order; None where the request has none."""
    if request.candidate_scores is None:
        return None
    known = [id_ in view.retriever.catalogue.ids for id_ in request.candidates]
    return np.array(request.candidate_scores, np.float32)[np.array(known, np.bool_)][order]


def unknown_values(request: FeedRequest, view: FeedView) -> Iterator[UnknownValue]:
    """The values of ``blocked`` and ``followed`` that no item has."""
    for field, columns in (("blocked", request.blocked), ("followed", request.followed)):
        for column, values in columns.items():
            for value in dict.fromkeys(values):
                if not _having({column: [value]}, field, view):
                    yield UnknownValue(field, column, value)


def _having(values: Mapping[str, Sequence[str]], field: str, view: FeedView) -> RowSet | None:
    """Rows with one of the values in one of the columns; None without any value."""
    parts: list[Filter] = []
    for column, own in values.items():
        if not own:
            continue
        path = f"{field}.{column:.80}"
        if view.columns.schema.type_of(column, path) == "texts":
            parts += [Contains(column, value) for value in own]
        else:
            parts.append(In(column, list(own)))
    if not parts:
        return None
    return view.columns.rows(parts[0] if len(parts) == 1 else Or(parts), path=field)


def _conditions(context: FeedContext, pipeline: Pipeline) -> Iterator[Filter]:
    """Filters that sources respect, so that a rare value does not leave them empty."""
    if context.request.predicate is not None:
        context.view.columns.rows(context.request.predicate)  # Its faults are the caller's.
        yield context.request.predicate
    for stage in pipeline.filters:
        if stage.enabled and isinstance(stage, Predicate | Available | MaximumAge):
            condition = stage.condition(context)
            with suppress(RecsysError):  # The stage itself reports what is wrong.
                if condition is not None:
                    context.view.columns.rows(condition)
                    yield condition
