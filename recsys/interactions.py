"""Interactions of users with items: a validated, frozen table, ordered by user and time.

``recsys.formats`` reads files, ``recsys.ingestion`` cleans and counts rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import DataError, suggestion
from recsys.ids import IdMap, Mask, Rows

USER, ITEM, TIMESTAMP, POSITION = "user_id", "item_id", "timestamp", "position"
WEIGHT, EVENT, TERMS = "weight", "event", "terms"
"""Column names of every table of interactions, in files that the engine writes and in memory."""

FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
"""Times of interactions are in the years 1 to 9999."""

_SHOWN_KINDS = 20
Column = TypeVar("Column", bound="npt.NDArray[Any]")


@dataclass(frozen=True, eq=False)
class UserHistory:
    """The history of one user.

    Attributes:
        user: Row of the user among those of the training; None for a user unknown to it.
        items: Item rows, oldest first, int32 ``[n]``.
        times: Seconds since 1970 per item, int64 ``[n]``; None where only the order is known.
    """

    user: int | None
    items: Rows
    times: npt.NDArray[np.int64] | None


@dataclass(frozen=True, eq=False)
class Interactions:
    """Interactions sorted by user, then time; ties keep the order in which they were given.

    Attributes:
        users: Ids of the users.
        items: Ids of the items, which is the whole catalogue.
        user: User rows, int32 ``[n]``, ascending.
        item: Item rows, int32 ``[n]``.
        time: Seconds since 1970 where ``clock`` is "timestamp", else positions, int64 ``[n]``.
        clock: Meaning of ``time``.
        weight: Weights, float32 ``[n]``, finite and above 0.
        phrases: Distinct search terms; the first is always "" (no search).
        terms: Rows of ``phrases`` that led to the interactions, int32 ``[n]``.
        context: Values of each context column. The column "event", where there is one, holds the
            kinds of event.
        context_rows: Rows in ``context`` for each context column, int32 ``[n]``.

    Example:
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"])
        >>> log = Interactions.of(users, items, user=[0, 0], item=[1, 0], time=[20, 10])
        >>> items.ids(log.history(0))
        ['lamp', 'rug']
    """

    users: IdMap
    items: IdMap
    user: Rows
    item: Rows
    time: npt.NDArray[np.int64]
    clock: Literal["timestamp", "position"]
    weight: npt.NDArray[np.float32]
    phrases: tuple[str, ...]
    terms: Rows
    context: Mapping[str, IdMap] = field(default_factory=dict)
    context_rows: Mapping[str, Rows] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        users: IdMap,
        items: IdMap,
        *,
        user: npt.ArrayLike,
        item: npt.ArrayLike,
        time: npt.ArrayLike,
        clock: Literal["timestamp", "position"] = "timestamp",
        weight: npt.ArrayLike | None = None,
        phrases: tuple[str, ...] = ("",),
        terms: npt.ArrayLike | None = None,
        context: Mapping[str, IdMap] | None = None,
        context_rows: Mapping[str, npt.ArrayLike] | None = None,
    ) -> Interactions:
        """Sort and check the columns, each of length n.

        Raises:
            DataError: Lengths differ, a row is out of range or no whole number, a weight is not
                finite and above 0, or a context column has no ids.
        """
        size = len(np.asarray(user))
        context = dict(context or {})
        given = {"user": user, "item": item, "terms": np.zeros(size) if terms is None else terms}
        if set(context) != set(context_rows or {}):
            raise DataError(
                f"context and context_rows must name the same columns; they name "
                f"{sorted(context)} and {sorted(context_rows or {})}"
            )
        with np.errstate(over="ignore"):
            weights = np.asarray(np.ones(size) if weight is None else weight).astype(np.float32)
        extra = {
            name: _integers(name, rows, np.int32) for name, rows in (context_rows or {}).items()
        }
        own = {name: _integers(name, rows, np.int32) for name, rows in given.items()}
        own |= {"time": _integers("time", time, np.int64), "weight": weights}
        for name, column in [*own.items(), *extra.items()]:
            if column.shape != (size,):
                raise DataError(f"column '{name}' must hold {size} values; it holds {column.shape}")
        for name, limit in (("user", len(users)), ("item", len(items)), ("terms", len(phrases))):
            _check_range(name, own[name], limit)
        for name, column in extra.items():
            _check_range(name, column, len(context[name]))
        if not phrases or phrases[0] != "":
            raise DataError("the first of the phrases must be '' (no search)")
        if size and not (np.isfinite(weights).all() and weights.min() > 0):
            raise DataError("weights must be finite and above 0; drop or fix the others first")
        order = np.lexsort((own["time"], own["user"]))
        return cls(
            users,
            items,
            **{name: _frozen(column[order]) for name, column in own.items()},
            clock=clock,
            phrases=phrases,
            context=context,
            context_rows={name: _frozen(column[order]) for name, column in extra.items()},
        )

    def __len__(self) -> int:
        return len(self.user)

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each user's interactions begin and end, int64 ``[users + 1]``."""
        counts = np.bincount(self.user, minlength=len(self.users))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @cached_property
    def item_counts(self) -> npt.NDArray[np.int64]:
        """Number of interactions with each item, int64 ``[items]``."""
        return np.bincount(self.item, minlength=len(self.items)).astype(np.int64)

    @property
    def active_users(self) -> Mask:
        """Whether each user has interactions, bool ``[users]``."""
        return np.asarray(np.diff(self.offsets) > 0)

    @property
    def warm(self) -> Mask:
        """Whether each item has an interaction, bool ``[items]``."""
        return self.item_counts > 0

    def history(self, user: int) -> Rows:
        """A user's item rows in time order, int32 ``[length]``."""
        return self.item[self.offsets[user] : self.offsets[user + 1]]

    def times(self, user: int) -> npt.NDArray[np.int64]:
        """Times of the items of :meth:`history`, int64 ``[length]``; see ``clock``."""
        return self.time[self.offsets[user] : self.offsets[user + 1]]

    def find(self, user_id: str) -> UserHistory | None:
        """The history of a user, or None for an unknown user."""
        if user_id not in self.users:
            return None
        user = self.users.row(user_id)
        times = self.times(user) if self.clock == "timestamp" else None
        return UserHistory(user, self.history(user), times)

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.users)

    def of_events(self, kinds: Sequence[str], *, key: str) -> Mask:
        """Whether each interaction is of one of these kinds of event, bool ``[n]``.

        Args:
            kinds: Names of kinds.
            key: Configuration key that names them, for messages.

        Raises:
            DataError: The log has no kinds of event, or not one that is named.
        """
        if EVENT not in self.context:
            raise DataError(
                f"{key} names kinds of event, and the interactions have none: name their column"
                f" with columns = {{ {EVENT} = ... }} of data.interactions, or leave {key} out"
            )
        known = self.context[EVENT].index
        counts = np.bincount(self.context_rows[EVENT], minlength=len(known))
        check_kinds(kinds, dict(zip(known, counts.tolist())), key=key)
        return np.isin(self.context_rows[EVENT], known.get_indexer(pd.Index(kinds)))

    def take(self, keep: Mask) -> Interactions:
        """The interactions where ``keep`` (bool ``[n]``) holds; users and items stay numbered."""
        columns = ("user", "item", "time", "weight", "terms")
        return replace(
            self,
            **{name: _frozen(getattr(self, name)[keep]) for name in columns},
            context_rows={name: _frozen(rows[keep]) for name, rows in self.context_rows.items()},
        )


def check_kinds(kinds: Iterable[str], counts: Mapping[str, int], *, key: str) -> None:
    """Check that a log holds these kinds of event.

    Args:
        kinds: Names of kinds in a configuration.
        counts: Number of interactions of each kind of the log.
        key: Configuration key that names them.

    Raises:
        DataError: The log lacks one; the message names the kinds that it has, and the nearest.
    """
    for kind in kinds:
        if kind not in counts:
            known = sorted(counts, key=lambda name: -counts[name])
            same = [name for name in known if name.casefold() == kind.casefold()]
            near = f"; did you mean '{same[0]}'?" if same else suggestion(kind, known)
            more = f" and {len(known) - _SHOWN_KINDS} more" if len(known) > _SHOWN_KINDS else ""
            listed = ", ".join(f"'{name}' ({counts[name]:,})" for name in known[:_SHOWN_KINDS])
            raise DataError(
                f"{key} names '{kind}', which is no kind of event in the interactions{near}"
                f" (kinds: {listed or 'none'}{more})"
            )


def _frozen(column: Column) -> Column:
    column.setflags(write=False)
    return column


def _integers(name: str, values: npt.ArrayLike, kind: type[Any]) -> npt.NDArray[Any]:
    """An array of ``kind``; values that the conversion would change are refused."""
    given = np.asarray(values)
    with np.errstate(invalid="ignore"):
        made = given.astype(kind)
    if not np.array_equal(made, given):
        raise DataError(f"column '{name}' must hold whole numbers that fit {np.dtype(kind)}")
    return made


def _check_range(name: str, rows: Rows, limit: int) -> None:
    if len(rows) and (int(rows.min()) < 0 or int(rows.max()) >= limit):
        raise DataError(f"column '{name}' must hold rows from 0 to {limit - 1}")
