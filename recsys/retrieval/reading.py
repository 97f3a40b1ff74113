"""From the caller's ids to rows: what a request means to one catalogue and one log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import UnknownIdError
from recsys.ids import IdMap, Rows
from recsys.interactions import Interactions
from recsys.retrieval.query import Request


@dataclass(frozen=True, eq=False)
class Asked:
    """A request in rows.

    Attributes:
        request: As it came.
        user: The user's row, or None.
        history: Item rows, oldest first; empty where none is known.
        times: When a known user met them, seconds since 1970, int64; None where only the order is
            known, as in a history that came with the request.
        item: The row of the item asked about, or None.
        hidden: Item rows that must not come, without repeats.
        unknown_history: Ids of the given history that are not in the catalogue.
        unknown_exclude: Ids to exclude that are not in the catalogue.
    """

    request: Request
    user: int | None
    history: Rows
    item: int | None
    hidden: Rows
    unknown_history: tuple[str, ...]
    unknown_exclude: tuple[str, ...]
    times: npt.NDArray[np.int64] | None = None


def read(request: Request, log: Interactions) -> Asked:
    """Look up the ids of a request that has been checked.

    Raises:
        UnknownIdError: The user, the item or, where the request says so, an item of the history is
            not known.
    """
    query = request.query
    user = None if query.user_id is None else _row(log.users, query.user_id, "query.user_id")
    item = None if query.item_id is None else _row(log.items, query.item_id, "query.item_id")
    given, unknown_history = _known(log.items, query.history or ())
    if unknown_history and request.unknown_history == "raise":
        position = list(query.history or ()).index(unknown_history[0])
        raise UnknownIdError(
            f"{len(unknown_history)} of the {len(query.history or ())} items of the history are "
            f"not in the catalogue, the first is {unknown_history[0]!r:.80}; leave them out, or "
            "ask with unknown_history='skip'",
            field=f"query.history[{position}]",
        )
    history = given if user is None else log.history(user)
    excluded, unknown_exclude = _known(log.items, request.exclude)
    hidden = [excluded]
    if request.seen == "exclude":
        hidden.append(history)
    if item is not None:
        hidden.append(np.array([item], np.int32))
    return Asked(
        request,
        user,
        history,
        item,
        np.unique(np.concatenate(hidden)),
        unknown_history,
        unknown_exclude,
        log.times(user) if user is not None and log.clock == "timestamp" else None,
    )


def _row(known: IdMap, value: str, field: str) -> int:
    # No search for the nearest id here: it takes long among many, and anybody may ask.
    if value not in known:
        remedy = "give a history or search terms instead" if known.kind == "user" else "check it"
        raise UnknownIdError(
            f"unknown {known.kind} id {value!r:.80}: not among the {len(known):,} known; {remedy}",
            field=field,
        )
    return known.row(value)


def _known(known: IdMap, values: Sequence[str]) -> tuple[Rows, tuple[str, ...]]:
    if not values:
        return np.empty(0, np.int32), ()
    rows = known.rows(values, unknown="skip")
    if len(rows) == len(values):
        return rows, ()
    return rows, tuple(dict.fromkeys(value for value in values if value not in known))
