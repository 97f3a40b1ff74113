"""Queries with known answers: the input of a scorer, and separate from it the targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import IdMap, Mask, Rows

Offsets = npt.NDArray[np.int64]
Positions = npt.NDArray[np.signedinteger[Any]]


@dataclass(frozen=True, eq=False)
class HeldOutQueries:
    """q queries: a user, a history and a context each, and the targets that came next.

    Histories are ranges of one shared pool, because those of one user overlap.

    Attributes:
        user: User rows, int32 ``[q]``.
        pool: Item rows, int32 ``[p]``; each history is a range of it, oldest first.
        history_start: First position of each history in ``pool``, int64 ``[q]``.
        history_stop: Position after each history, int64 ``[q]``.
        target_rows: Targets of all queries, one query after the other, int32 ``[t]``.
        target_offsets: Bounds of each query's targets, int64 ``[q + 1]``.
        time: Time of the (first) target, int64 ``[q]``.
        terms: Rows of ``phrases`` that led to the targets, int32 ``[q]``; 0 for none, and for all
            queries with several targets. A scorer reads it only if configured to.
        phrases: Distinct search terms; the first is "" (no search).
        context: Values of each context column.
        context_rows: Rows of the (first) target in each context column, int32 ``[q]``.
        pool_times: Times of the items of ``pool``, seconds since 1970, int64 ``[p]``; None where
            only their order is known.
        pool_weights: Weights of the interactions of ``pool``, float32 ``[p]``, or None.
        target_weights: Weight of each target, float32 ``[t]``, or None.
        target_events: Kind of event of each target, rows of ``context["event"]``, int32 ``[t]``;
            None where the log has no kinds.

    Example:
        >>> queries = HeldOutQueries.of(user=[0, 1], histories=[[4, 2], []], targets=[[7], [1, 3]])
        >>> len(queries), queries.history(0).tolist(), queries.targets(1).tolist()
        (2, [4, 2], [1, 3])
    """

    user: Rows
    pool: Rows
    history_start: Offsets
    history_stop: Offsets
    target_rows: Rows
    target_offsets: Offsets
    time: npt.NDArray[np.int64]
    terms: Rows
    phrases: tuple[str, ...] = ("",)
    context: Mapping[str, IdMap] = field(default_factory=dict)
    context_rows: Mapping[str, Rows] = field(default_factory=dict)
    pool_times: npt.NDArray[np.int64] | None = None
    pool_weights: npt.NDArray[np.float32] | None = None
    target_weights: npt.NDArray[np.float32] | None = None
    target_events: Rows | None = None

    @classmethod
    def of(
        cls,
        *,
        user: Sequence[int],
        histories: Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]],
        terms: Sequence[int] | None = None,
        phrases: tuple[str, ...] = ("",),
    ) -> HeldOutQueries:
        """Queries from lists with one entry per query.

        Raises:
            DataError: The lists differ in length, or a query has no target.
        """
        size = len(user)
        if not len(histories) == len(targets) == size:
            raise DataError(
                f"{size} users, {len(histories)} histories and {len(targets)} targets: "
                "expected the same number of each"
            )
        if any(len(rows) == 0 for rows in targets):
            raise DataError("every query needs at least one target")
        bounds = offsets_of([len(history) for history in histories])
        return cls(
            user=np.asarray(user, np.int32),
            pool=np.asarray([row for history in histories for row in history], np.int32),
            history_start=bounds[:-1],
            history_stop=bounds[1:],
            target_rows=np.asarray([row for rows in targets for row in rows], np.int32),
            target_offsets=offsets_of([len(rows) for rows in targets]),
            time=np.zeros(size, np.int64),
            terms=np.zeros(size, np.int32) if terms is None else np.asarray(terms, np.int32),
            phrases=phrases,
        )

    def __len__(self) -> int:
        return len(self.user)

    def history(self, query: int) -> Rows:
        """One query's item rows, oldest first, int32 ``[length]``."""
        return self.pool[self.history_start[query] : self.history_stop[query]]

    def targets(self, query: int) -> Rows:
        """One query's target rows, int32 ``[at least 1]``."""
        return self.target_rows[self.target_offsets[query] : self.target_offsets[query + 1]]

    def histories(self) -> list[Rows]:
        """Every query's history, as views of the pool."""
        return [self.history(query) for query in range(len(self))]

    def times(self) -> list[npt.NDArray[np.int64]] | None:
        """Every query's times, as views of the pool; None where they are not known."""
        if self.pool_times is None:
            return None
        bounds = zip(self.history_start, self.history_stop)
        return [self.pool_times[start:stop] for start, stop in bounds]

    @cached_property
    def target_queries(self) -> Positions:
        """Query of each target, int64 ``[t]``."""
        return np.repeat(np.arange(len(self)), np.diff(self.target_offsets))

    def target_columns(self) -> dict[str, Any]:
        """The columns with one entry per target, by the name of their field."""
        names = ("target_rows", "target_weights", "target_events")
        columns = {name: getattr(self, name) for name in names}
        return {name: column for name, column in columns.items() if column is not None}

    @property
    def history_lengths(self) -> npt.NDArray[np.int64]:
        """Lengths of the histories, int64 ``[q]``."""
        return self.history_stop - self.history_start

    @cached_property
    def history_offsets(self) -> Offsets:
        """Bounds of each history in :attr:`history_rows`, int64 ``[q + 1]``."""
        return offsets_of(self.history_lengths)

    @cached_property
    def history_rows(self) -> Rows:
        """All histories one after another, int32; a large copy where histories overlap."""
        return self.pool[ranges(self.history_start, self.history_lengths)]

    def slice(self, low: int, high: int) -> HeldOutQueries:
        """Queries ``low`` up to, not including, ``high``."""
        return self.at(np.arange(*slice(low, high).indices(len(self))))

    def take(self, keep: Mask) -> HeldOutQueries:
        """The queries where ``keep`` (bool ``[q]``) holds."""
        return self.at(np.flatnonzero(keep))

    def at_targets(self, keep: Mask) -> HeldOutQueries:
        """The targets where ``keep`` (bool ``[t]``) holds, without queries left with none."""
        if keep.all():
            return self
        lengths = np.bincount(self.target_queries[keep], minlength=len(self))
        columns = self.target_columns()
        trimmed = replace(
            self,
            **{name: column[keep] for name, column in columns.items()},
            target_offsets=offsets_of(lengths),
        )
        return trimmed.take(lengths > 0)

    def at(self, at: Positions) -> HeldOutQueries:
        """The queries at these positions, in their order."""
        lengths = np.diff(self.target_offsets)[at]
        targets = ranges(self.target_offsets[:-1][at], lengths)
        columns = ("user", "history_start", "history_stop", "time", "terms")
        return replace(
            self,
            **{name: getattr(self, name)[at] for name in columns},
            **{name: column[targets] for name, column in self.target_columns().items()},
            target_offsets=offsets_of(lengths),
            context_rows={name: rows[at] for name, rows in self.context_rows.items()},
        )


def offsets_of(lengths: npt.ArrayLike) -> Offsets:
    """Bounds of parts with lengths ``[q]``, int64 ``[q + 1]``."""
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, np.int64))]).astype(np.int64)


def ranges(starts: Offsets, lengths: npt.NDArray[np.int64]) -> Offsets:
    """The positions ``starts[i] .. starts[i] + lengths[i] - 1`` one after another, int64."""
    offsets = offsets_of(lengths)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    positions: Offsets = np.repeat(starts, lengths) + within
    return positions
