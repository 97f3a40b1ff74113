"""From a request to rows: the one place that resolves ids and decides which space reads what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError, NotFoundError, UnknownIdError, suggestion
from recsys.ids import Rows
from recsys.index import RowSet
from recsys.interactions import UserHistory
from recsys.retrieval.crowding import Crowding, crowding_of
from recsys.retrieval.sources import Histories, Ids, ItemColumns
from recsys_client.query import Query
from recsys_client.request import Request
from recsys_client.response import Fallback, UnknownUser

Times = npt.NDArray[np.int64]
NOUNS = {
    "terms": "search terms",
    "image": "pictures",
    "context": "context",
    "history_times": "times of a history",
}
"""Parts of a query that some spaces read and others do not."""
EVERYWHERE = ("user_id", "history", "item_id", "item_ids", "vector")
"""Parts of a query that every space reads."""
_SHOWN = 10


@dataclass(frozen=True, eq=False)
class ParsedRequest:
    """A checked request with its ids resolved to rows.

    Attributes:
        request: The request.
        parts: Per space the optional parts of the query that it reads; keys of ``NOUNS``.
        user: Row of the user among those of the training, or None.
        items: Rows of the item or items to find neighbours of; empty for another query.
        history: Item rows, oldest first.
        times: Seconds since 1970 per history item, int64; None where only the order is known.
        context: Row of the value of each given context column.
        hidden: Item rows that must not be candidates, ascending, without repeats.
        unknown_history: Ids of the given history that are not in the catalogue.
        unknown_exclude: Ids to exclude that are not in the catalogue.
        allowed: Rows that the filter allows, or None without a filter.
        crowding: Largest number of candidates per value of some columns.
        fallback: Replacement of the history of an unknown user, or None.
    """

    request: Request
    parts: Mapping[str, frozenset[str]]
    user: int | None
    items: Rows
    history: Rows
    times: Times | None
    context: Mapping[str, int]
    hidden: Rows
    unknown_history: tuple[str, ...]
    unknown_exclude: tuple[str, ...]
    allowed: RowSet | None
    crowding: Crowding
    fallback: Fallback | None = None


@dataclass(frozen=True, eq=False)
class RequestParser:
    """Checks requests against items, users and spaces, and resolves their ids.

    Attributes:
        items: Ids of the items.
        log: Histories of the known users, and the values of context columns.
        inputs: Per space the optional parts of a query that it can read.
        columns: Names of the context columns that the towers read.
        item_columns: Columns of the catalogue that a filter or a crowding can name.
        max_k: Largest k.
        unknown_user: Answer to a query of a user without interactions that is not in the log.
    """

    items: Ids
    log: Histories
    inputs: Mapping[str, frozenset[str]]
    columns: Sequence[str]
    item_columns: ItemColumns
    max_k: int
    unknown_user: UnknownUser = "error"

    def parse(self, request: Request) -> ParsedRequest:
        """Check a request and resolve its ids, with the errors of ``Retriever.retrieve``."""
        request.check(self.max_k)
        parts = self._parts(request)
        query = request.query
        terms = any("terms" in self.inputs[name] for name in parts)
        instead = f"give a history{' or search terms' if terms else ''} instead"
        fallback = self._fallback(query)
        user = None if fallback else self._user(query.user_id, instead)
        items = self._items(query)
        history, times, unknown_history = self._history(request, user)
        excluded, unknown_exclude = _known(self.items, request.exclude)
        seen = history if request.seen == "exclude" else history[:0]
        return ParsedRequest(
            request,
            parts,
            None if user is None else user.user,
            items,
            history,
            times,
            {column: self._context(column, value) for column, value in query.context.items()},
            np.unique(np.concatenate([excluded, seen, items])),
            unknown_history,
            unknown_exclude,
            None if request.predicate is None else self.item_columns.rows(request.predicate),
            crowding_of(self.item_columns, request.crowding),
            fallback,
        )

    def _parts(self, request: Request) -> dict[str, frozenset[str]]:
        """Per space the optional parts that it reads of this query; each part needs a reader."""
        query, spaces = request.query, request.spaces
        for name in spaces:
            if name not in self.inputs:
                known = ", ".join(sorted(self.inputs))
                raise NotFoundError(
                    f"no space {name!r:.80}; there are: {known}{suggestion(name, self.inputs)}",
                    field="space",
                )
        given = frozenset(part for part in NOUNS if getattr(query, part))
        given |= frozenset() if query.image is None else {"image"}  # also an empty file
        parts = {name: given & self.inputs[name] for name in spaces}
        read = frozenset().union(*parts.values())
        for part in NOUNS:
            if part in given - read:
                raise self._unread(part, spaces)
        everywhere = any(getattr(query, name) is not None for name in EVERYWHERE)
        for name in spaces:
            if not everywhere and not parts[name] & {"terms", "image"}:
                nouns = " and ".join(NOUNS[part] for part in NOUNS if part in given)
                raise InvalidRequestError(
                    f"the space '{name}' reads nothing of the query, which holds {nouns} only; "
                    "leave the space out, or give a part that it reads",
                    field="space",
                )
        return parts

    def _unread(self, part: str, spaces: Sequence[str]) -> InvalidRequestError:
        noun = NOUNS[part]
        readers = sorted(name for name, reads in self.inputs.items() if part in reads)
        subject = f"the space '{spaces[0]}' reads no {noun} here"
        if len(spaces) > 1:
            subject = f"none of the spaces {_quoted(spaces)} reads {noun} here"
        remedy = "give an item, a user or a history"
        if part in ("context", "history_times"):
            remedy = "leave it out; towers read it where they were trained with it"
        if readers:
            remedy = f"ask a space that does: {_quoted(readers, 'or')}"
        return InvalidRequestError(f"{subject}; {remedy}", field=f"query.{part}")

    # Unknown ids are not compared with all others: it is slow, and any caller can trigger it.
    def _user(self, user_id: str | None, remedy: str) -> UserHistory | None:
        user = None if user_id is None else self.log.find(user_id)
        if user is None and user_id is not None:
            raise UnknownIdError(
                f"unknown user id {user_id!r:.80}: not among the {self.log.n_users:,} known; "
                f"{remedy}",
                field="query.user_id",
            )
        return user

    def _fallback(self, query: Query) -> Fallback | None:
        if self.unknown_user == "error" or query.user_id is None:
            return None
        if self.log.find(query.user_id) is not None:
            return None
        # Popularity would not read the terms or the picture.
        content = query.terms is not None or query.image is not None
        return "empty_history" if content else self.unknown_user

    def _items(self, query: Query) -> Rows:
        given = {f"query.item_ids[{at}]": each for at, each in enumerate(query.item_ids or ())}
        if query.item_id is not None:
            given = {"query.item_id": query.item_id}
        for field, item_id in given.items():
            if item_id not in self.items:
                raise UnknownIdError(
                    f"unknown item id {item_id!r:.80}: not among the {len(self.items):,} known; "
                    "give an id of the catalogue",
                    field=field,
                )
        rows = [self.items.row(item_id) for item_id in given.values()]
        return np.unique(np.array(rows, np.int32))

    def _history(
        self, request: Request, user: UserHistory | None
    ) -> tuple[Rows, Times | None, tuple[str, ...]]:
        if user is not None:
            return user.items, user.times, ()
        given, known = request.query.history or (), self.items
        rows, unknown = _known(known, given)
        if unknown and request.unknown_history == "raise":
            raise UnknownIdError(
                f"{len(unknown)} of the {len(given)} items of the history are not in the "
                f"catalogue, the first is {unknown[0]!r:.80}; leave them out, or ask with "
                "unknown_history='skip'",
                field=f"query.history[{list(given).index(unknown[0])}]",
            )
        if request.query.history_times is None:
            return rows, None, unknown
        pairs = zip(given, request.query.history_times)
        times = np.array([time for id_, time in pairs if not unknown or id_ in known], np.int64)
        return rows, times, unknown

    def _context(self, column: str, value: str) -> int:
        if column not in self.columns:
            raise InvalidRequestError(
                f"the towers read no context column {column!r:.80}; they read: "
                f"{', '.join(self.columns)}{suggestion(column, self.columns)}",
                field="query.context",
            )
        known = self.log.context[column]
        if value not in known:
            shown = ", ".join(known.ids(np.arange(min(len(known), _SHOWN), dtype=np.int32)))
            more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
            raise UnknownIdError(
                f"unknown value {value!r:.80} of the context column '{column}'; known: "
                f"{shown:.400}{more}; leave the column out where its value is not known",
                field="query.context",
            )
        return known.row(value)


def _known(known: Ids, values: Sequence[str]) -> tuple[Rows, tuple[str, ...]]:
    """Rows of the known ids, and the unknown ids without repeats."""
    if not values:
        return np.empty(0, np.int32), ()
    rows = known.rows(values, unknown="skip")
    if len(rows) == len(values):
        return rows, ()
    return rows, tuple(dict.fromkeys(value for value in values if value not in known))


def _quoted(names: Sequence[str], joint: str = "and") -> str:
    return f" {joint} ".join(f"'{name}'" for name in names)
