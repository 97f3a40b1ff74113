"""From a request in ids to the context in rows that the stages read."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from recsys.errors import RecsysError
from recsys.feed.context import FeedContext
from recsys.feed.filters import Available, MaximumAge, Predicate
from recsys.feed.pipeline import Pipeline
from recsys.feed.view import FeedView
from recsys.ids import Rows
from recsys.index import RowSet
from recsys.interactions import UserHistory
from recsys.retrieval import TWO_TOWER, Query, Request
from recsys.retrieval.parsing import ParsedRequest
from recsys_client.feed import FeedRequest
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
    unknown = {"history": unknown_history, "exclude": _unknown(view, request.exclude)}
    unknown["candidates"] = tuple(
        id_ for name in _LISTED for id_ in _unknown(view, getattr(request, name))
    )
    known = [id_ in view.retriever.catalogue.ids for id_ in request.candidates]
    given, first = np.unique(_rows(view, request.candidates), return_index=True)
    order = np.argsort(first)
    scores = request.candidate_scores
    context = FeedContext(
        request,
        view,
        query,
        history.items,
        history.times,
        _rows(view, request.exclude),
        given=given[order].astype(np.int32),
        given_scores=None
        if scores is None
        else np.array(scores, np.float32)[np.array(known, np.bool_)][first[order]],
        blocked=_having(request.blocked, "blocked", view),
        followed=_having(request.followed, "followed", view),
        pinned=_rows(view, request.pinned),
        promoted=_rows(view, request.promoted),
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
    ids = view.retriever.catalogue.ids
    known = [position for position, id_ in enumerate(query.history) if id_ in ids]
    rows, times = _rows(view, query.history), query.history_times
    at = None if times is None else np.array([times[position] for position in known], np.int64)
    return UserHistory(None, rows, at), _unknown(view, query.history)


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


def _rows(view: FeedView, ids: Sequence[str]) -> Rows:
    if not ids:
        return np.empty(0, np.int32)
    return view.retriever.catalogue.ids.rows(ids, unknown="skip")


def _unknown(view: FeedView, ids: Sequence[str]) -> tuple[str, ...]:
    known = view.retriever.catalogue.ids
    return tuple(dict.fromkeys(id_ for id_ in ids if id_ not in known))


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
