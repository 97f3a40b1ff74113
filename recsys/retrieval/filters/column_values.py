"""The values of a column as codes, as crowding reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows
from recsys.retrieval.filters.columns import Codes


class ColumnValues(Protocol):
    """The values of one column as codes; an item may have none or several."""

    def at(self, rows: Rows) -> list[list[int]]:
        """The codes of each of some rows."""

    def single_at(self, rows: Rows) -> Codes | None:
        """The code of each of some rows, -1 without one; None if an item has several values."""

    def mask_with(self, codes: Iterable[int]) -> Mask:
        """Whether each row has one of ``codes``, bool ``[rows]``."""


@dataclass(frozen=True, eq=False)
class CodedValues(ColumnValues):
    """The values of a column of a fixed number of items.

    Attributes:
        starts: Position in ``codes`` of the first value of each item, int64 ``[items + 1]``.
        codes: Values of the items in row order, int32; items with the same value share a code.

    Example:
        >>> values = CodedValues.of(np.array([0, 2, 2]), np.array([1, 0, 1]), items=3)
        >>> values.at(np.array([2, 1, 0]))
        [[0, 1], [], [1]]
        >>> values.mask_with([1]).tolist()
        [True, False, True]
    """

    starts: npt.NDArray[np.int64]
    codes: Codes

    @classmethod
    def of(cls, rows: Rows, codes: Codes, *, items: int) -> CodedValues:
        """The values of pairs of a row and a code, in any order; repeated pairs count once."""
        pairs = np.unique(rows.astype(np.int64) << 32 | codes)
        counts = np.bincount(pairs >> 32, minlength=items)
        return cls(np.concatenate([[0], np.cumsum(counts)]), (pairs & 0xFFFFFFFF).astype(np.int32))

    def at(self, rows: Rows) -> list[list[int]]:
        """The codes of each of some rows."""
        if self.single is not None:
            return [[code] if code >= 0 else [] for code in self.single[rows].tolist()]
        codes = self.codes
        starts, ends = self.starts[rows].tolist(), self.starts[1:][rows].tolist()
        return [codes[start:end].tolist() for start, end in zip(starts, ends)]

    def single_at(self, rows: Rows) -> Codes | None:
        """The code of each of some rows, -1 without one; None if an item has several values."""
        return None if self.single is None else self.single[rows]

    def mask_with(self, codes: Iterable[int]) -> Mask:
        """Whether each item has one of ``codes``, bool ``[items]``."""
        rows, starts = self._by_code
        mask = np.zeros(len(self.starts) - 1, np.bool_)
        for code in codes:
            if code + 1 >= len(starts):
                continue  # a value of the column that no item has
            mask[rows[starts[code] : starts[code + 1]]] = True
        return mask

    @cached_property
    def single(self) -> Codes | None:
        """Code of each item; -1 where it has no value. None if an item has several values."""
        counts = np.diff(self.starts)
        if counts.max(initial=0) > 1:
            return None
        codes = np.full(len(counts), -1, np.int32)
        codes[counts > 0] = self.codes
        return codes

    @cached_property
    def _by_code(self) -> tuple[Rows, npt.NDArray[np.int64]]:
        """Rows by the code of a value, and the start of each code."""
        rows = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))
        starts = np.concatenate([[0], np.cumsum(np.bincount(self.codes))])
        return rows[np.argsort(self.codes, kind="stable")], starts
