"""Values of a column as codes, over the bundle's items and those upserted since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows
from recsys.retrieval.filters import CodedValues, Codes, ColumnValues
from recsys_client.filters import Value

Positions = npt.NDArray[np.intp]


class ValueCodes:
    """Codes of the values of one column, the same in every segment and snapshot.

    Example:
        >>> codes = ValueCodes()
        >>> codes.of(["acme", "apex"]).tolist(), codes.of(["new", "acme"]).tolist()
        ([0, 1], [2, 0])
    """

    def __init__(self) -> None:
        self._codes: dict[Value, int] = {}
        self._lock = Lock()

    def of(self, values: Sequence[Value]) -> Codes:
        """The code of each value, int32; a new value gets the next code."""
        codes = self._codes
        with self._lock:
            return np.array([codes.setdefault(value, len(codes)) for value in values], np.int32)


@dataclass(frozen=True, eq=False)
class ValuesPart:
    """The values of some rows, with codes of their own.

    Attributes:
        rows: The rows, int32 ``[n]``, ascending.
        values: Values by position in ``rows``.
        codes: Code of each of their codes, int32.
    """

    rows: Rows
    values: CodedValues
    codes: Codes


@dataclass(frozen=True, eq=False)
class LiveValues(ColumnValues):
    """The values of one column at one moment.

    Attributes:
        parts: Parts of the rows; a row has the values of the last part that holds it.
        size: Number of rows.

    Example:
        >>> old = CodedValues.of(np.arange(3), np.array([0, 1, 1]), items=3)
        >>> new = CodedValues.of(np.arange(2), np.array([0, 1]), items=2)
        >>> parts = [ValuesPart(np.arange(3), old, np.array([7, 8]))]
        >>> parts += [ValuesPart(np.array([1, 3]), new, np.array([9, 7]))]
        >>> values = LiveValues(tuple(parts), size=4)
        >>> values.at(np.arange(4)), values.mask_with([8]).tolist()
        ([[7], [9], [8], [7]], [False, False, True, False])
    """

    parts: tuple[ValuesPart, ...]
    size: int

    def at(self, rows: Rows) -> list[list[int]]:
        """The codes of each of some rows."""
        found: list[list[int]] = [[] for _ in rows]
        for part, chosen, positions in self._by_part(rows):
            for at, codes in zip(chosen.tolist(), part.values.at(positions)):
                found[at] = part.codes[codes].tolist()
        return found

    def single_at(self, rows: Rows) -> Codes | None:
        """The code of each of some rows, -1 without one; None if an item has several values."""
        if not self._is_single:
            return None
        found = np.full(len(rows), -1, np.int32)
        for part, chosen, positions in self._by_part(rows):
            codes: Any = part.values.single_at(positions)
            found[chosen[codes >= 0]] = part.codes[codes[codes >= 0]]
        return found

    def mask_with(self, codes: Iterable[int]) -> Mask:
        """Whether each row has one of ``codes``, bool ``[size]``."""
        wanted, mask = np.fromiter(codes, np.int32), np.zeros(self.size, np.bool_)
        for part in self.parts:
            local = np.flatnonzero(np.isin(part.codes, wanted)).tolist()
            mask[part.rows] = part.values.mask_with(local)
        return mask

    @cached_property
    def _is_single(self) -> bool:
        return all(part.values.single is not None for part in self.parts)

    def _by_part(self, rows: Rows) -> Iterator[tuple[ValuesPart, Positions, Rows]]:
        """Per part the positions among ``rows`` of those it holds, and their positions in it."""
        left = np.arange(len(rows))
        for part in reversed(self.parts):
            if not len(left) or not len(part.rows):
                continue
            at = np.minimum(np.searchsorted(part.rows, rows[left]), len(part.rows) - 1)
            inside = part.rows[at] == rows[left]
            if inside.any():
                yield part, left[inside], at[inside].astype(np.int32)
            left = left[~inside]
