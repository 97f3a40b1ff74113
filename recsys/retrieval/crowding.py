"""Crowding: at most m candidates per value of a column of the catalogue.

The answer is that of a walk down the whole ranked list which skips each item one of whose values
has been taken m times already. ``recsys.retrieval.fusion_search`` reads the list only as far as the
walk needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows, Vectors
from recsys.retrieval.filters import Codes, ColumnValues
from recsys.retrieval.sources import ItemColumns


@dataclass(frozen=True, eq=False)
class Crowding:
    """The limits of one request, with the values of their columns.

    Attributes:
        limits: Per column its values and the largest number of candidates per value.
    """

    limits: tuple[tuple[ColumnValues, int], ...] = ()


def crowding_of(columns: ItemColumns, limits: Mapping[str, int]) -> Crowding:
    """The crowding of the limits of a request, by the name of a column.

    Raises:
        InvalidRequestError: The catalogue has no such column; ``field`` names it.

    Example:
        >>> import pyarrow as pa
        >>> from recsys.catalogue import Catalogue, CatalogueFields
        >>> from recsys.retrieval.filters import FilterColumns
        >>> table = pa.table({"item_id": ["a", "b"], "brand": ["acme", None]})
        >>> catalogue = Catalogue.of(table, CatalogueFields(categories=("brand",)))
        >>> ((values, most),) = crowding_of(FilterColumns.of(catalogue), {"brand": 2}).limits
        >>> values.at(np.arange(2)), most
        ([[0], []], 2)
    """
    return Crowding(
        tuple(
            (columns.values(name, path=f"crowding.{name:.80}"), most)
            for name, most in limits.items()
        )
    )


@dataclass(frozen=True, eq=False)
class Walk:
    """The rows taken so far from a ranked list: at most k, and at most m per value.

    Attributes:
        k: Number of rows to take.
        crowding: Limits.
        rows: Rows taken, best first.
        scores: Scores of these rows, float32.
        taken: Per limit the number of rows taken with each value that was seen.

    Example:
        >>> from recsys.retrieval.filters import CodedValues
        >>> brands = CodedValues.of(np.arange(3), np.array([7, 7, 8]), items=4)
        >>> scores = np.array([4, 3, 2, 1], np.float32)
        >>> Walk(3, Crowding(((brands, 1),))).along(np.arange(4), scores).rows.tolist()
        [0, 2, 3]
    """

    k: int
    crowding: Crowding
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int32))
    scores: Vectors = field(default_factory=lambda: np.empty(0, np.float32))
    taken: tuple[Mapping[int, int], ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether k rows were taken."""
        return len(self.rows) == self.k

    def along(self, rows: Rows, scores: Vectors) -> Walk:
        """The walk continued along further rows of the list, best first."""
        positions, taken = self._positions(rows)
        return replace(
            self,
            rows=np.concatenate([self.rows, rows[positions]]).astype(np.int32),
            scores=np.concatenate([self.scores, scores[positions]]),
            taken=taken,
        )

    def full(self) -> Mask:
        """Whether each item has a value that was taken as often as its limit allows."""
        masks = [
            column.mask_with(code for code, count in counts.items() if count >= most)
            for counts, (column, most) in zip(self.taken, self.crowding.limits)
        ]
        return np.asarray(np.logical_or.reduce(masks), np.bool_)

    def _positions(self, rows: Rows) -> tuple[Any, tuple[Mapping[int, int], ...]]:
        """Positions of the rows to take, and ``taken`` with their values."""
        limits, wanted = self.crowding.limits, self.k - len(self.rows)
        if not limits:
            return slice(wanted), ()
        taken = [Counter(each) for each in self.taken] or [Counter[int]() for _ in limits]
        codes = limits[0][0].single_at(rows) if len(limits) == 1 else None
        if codes is not None:
            positions = _positions_below(limits[0][1], codes, taken[0])[:wanted]
            kept = codes[positions]
            taken[0].update(kept[kept >= 0].tolist())
            return positions, tuple(taken)
        most = [each for _, each in limits]
        chosen: list[int] = []
        for position, values in enumerate(zip(*(column.at(rows) for column, _ in limits))):
            if len(chosen) == wanted:
                break
            groups = list(zip(taken, most, values))
            if any(counts[code] >= limit for counts, limit, own in groups for code in own):
                continue
            for counts, _, own in groups:
                counts.update(own)
            chosen.append(position)
        return chosen, tuple(taken)


def _positions_below(most: int, codes: Codes, taken: Mapping[int, int]) -> npt.NDArray[np.int64]:
    """Positions of the first codes of each kind, at most ``most`` with those taken; -1 is free."""
    kinds, kind_of, counts = np.unique(codes, return_inverse=True, return_counts=True)
    before = np.array([taken.get(code, 0) for code in kinds.tolist()], np.int64)
    order = np.argsort(kind_of, kind="stable")
    number = np.empty(len(codes), np.int64)  # of each code among its kind, from 0
    number[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.flatnonzero((codes < 0) | (number + before[kind_of] < most))
