"""Examples of a ranker: requests, their retrieved or shown items, and the taken ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask, Rows, Vectors
from recsys.ranking.bags import Bags
from recsys.ranking.inputs import FeatureTable, PairContext
from recsys.splits.held_out import Offsets, offsets_of, ranges

Positions = npt.NDArray[np.int64]
_EARLIEST, _LATEST = -(2**62), 2**62


@dataclass(frozen=True, eq=False)
class TrainingTable:
    """n items of g requests, with features and labels.

    Attributes:
        names: Names of the features.
        values: Features, float32 ``[n, f]``.
        rows: Item rows, int32 ``[n]``.
        offsets: Bounds of each request's items, int64 ``[g + 1]``.
        taken: Whether the user took the item, bool ``[n]``.
        weights: Number of items that each one stands for, float32 ``[n]``; above 1 for sampled
            items that were not taken.
        times: Time of each request, int64 ``[g]``.
        histories: Item rows of each request's history, oldest first.
        phrases: Search terms of each request, the earlier ones and then those of the request
            itself; empty where no request has any.
        grades: Grade of each taken item, such as a rating, float32 ``[n]``; NaN without one. None
            where no item has one.

    Raises:
        DataError: Lengths differ.

    Example:
        >>> items = FeatureTable(("x",), np.ones((2, 1), np.float32), np.array([4, 7], np.int32))
        >>> table = TrainingTable.of([items], [np.array([True, False])], times=[10])
        >>> table.requests, len(table), table.taken.tolist()
        (1, 2, [True, False])
    """

    names: tuple[str, ...]
    values: Vectors
    rows: Rows
    offsets: Offsets
    taken: Mask
    weights: Vectors
    times: Positions
    histories: Bags
    phrases: tuple[tuple[str, ...], ...] = ()
    grades: Vectors | None = None

    def __post_init__(self) -> None:
        n, g = len(self.rows), len(self.times)
        wrong = (
            self.values.shape != (n, len(self.names))
            or len(self.taken) != n
            or len(self.weights) != n
            or (self.grades is not None and len(self.grades) != n)
            or len(self.offsets) != g + 1
            or int(self.offsets[-1]) != n
            or len(self.histories) != g
            or len(self.phrases) not in (0, g)
        )
        if wrong:
            raise DataError(f"the columns of a training table of {n} items and {g} requests differ")

    @classmethod
    def of(
        cls,
        tables: Sequence[FeatureTable],
        taken: Sequence[Mask],
        *,
        times: Sequence[int] | range,
        weights: Sequence[Vectors] | None = None,
        contexts: Sequence[PairContext] = (),
    ) -> TrainingTable:
        """The tables of requests one after another.

        Raises:
            DataError: There is no request, or the tables differ in their features.
        """
        names = tables[0].names if tables else ()
        if not tables or any(table.names != names for table in tables):
            raise DataError("a training table needs requests with the same features")
        lengths = [len(table) for table in tables]
        n = sum(lengths)
        none = np.zeros(0, np.int32)
        histories = [each.history for each in contexts] if contexts else [none] * len(tables)
        phrases = tuple((*each.searched, each.terms) for each in contexts)
        return cls(
            names,
            np.concatenate([table.values for table in tables]),
            np.concatenate([table.rows for table in tables]),
            offsets_of(lengths),
            np.concatenate(list(taken)).astype(np.bool_),
            np.ones(n, np.float32) if weights is None else np.concatenate(list(weights)),
            np.asarray(times, np.int64),
            Bags.of(histories),
            phrases if any(any(each) for each in phrases) else (),
        )

    @classmethod
    def joined(cls, tables: Sequence[TrainingTable]) -> TrainingTable:
        """The requests of several tables, one table after the other.

        Raises:
            DataError: There is no table, they differ in their features, or only some have grades.
        """
        graded = [table.grades for table in tables if table.grades is not None]
        names = tables[0].names if tables else ()
        if not tables or any(each.names != names for each in tables):
            raise DataError("tables with the same features are needed; got none, or they differ")
        if len(graded) not in (0, len(tables)):
            raise DataError(f"{len(graded)} of {len(tables)} tables have grades: all or none must")
        columns = ("values", "rows", "taken", "weights", "times")
        phrases = [each.phrases or (("",),) * each.requests for each in tables]
        spoken = any(each.phrases for each in tables)
        return cls(
            names,
            **{name: np.concatenate([getattr(each, name) for each in tables]) for name in columns},
            offsets=offsets_of(np.concatenate([np.diff(each.offsets) for each in tables])),
            histories=Bags.of([t.histories.bag(at) for t in tables for at in range(t.requests)]),
            phrases=tuple(chain.from_iterable(phrases)) if spoken else (),
            grades=np.concatenate(graded) if graded else None,
        )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def requests(self) -> int:
        """Number of requests."""
        return len(self.times)

    @property
    def owners(self) -> Rows:
        """Request of each item, int32 ``[n]``."""
        return np.repeat(np.arange(self.requests, dtype=np.int32), np.diff(self.offsets))

    def at(self, requests: Positions) -> TrainingTable:
        """The requests at these indices, in their order."""
        lengths = np.diff(self.offsets)[requests]
        items = ranges(self.offsets[:-1][requests], lengths)
        columns = ("values", "rows", "taken", "weights")
        return replace(
            self,
            **{name: getattr(self, name)[items] for name in columns},
            offsets=offsets_of(lengths),
            times=self.times[requests],
            histories=self.histories.at(requests),
            phrases=tuple(self.phrases[at] for at in requests.tolist()) if self.phrases else (),
            grades=None if self.grades is None else self.grades[items],
        )

    def between(self, first: int = _EARLIEST, last: int = _LATEST) -> TrainingTable:
        """The requests with a time of at least ``first`` and below ``last``."""
        return self.at(np.flatnonzero((self.times >= first) & (self.times < last)))

    def select(self, names: Sequence[str]) -> TrainingTable:
        """The table with these features in this order.

        Raises:
            DataError: A feature is missing.
        """
        items = FeatureTable(self.names, self.values, self.rows).select(names)
        return replace(self, names=items.names, values=items.values)

    def check(self, action: str) -> None:
        """Check that some items were taken and others were not.

        Raises:
            DataError: All labels are equal.
        """
        if not self.taken.any() or self.taken.all():
            raise DataError(
                f"{action} needs items that were taken and others that were not; of {len(self):,} "
                f"items, {int(self.taken.sum()):,} were taken"
            )
