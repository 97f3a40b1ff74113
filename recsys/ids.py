"""Ids and rows: the caller's strings, and the dense integers that replace them in the library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import DataError, UnknownIdError, suggestion

Rows = npt.NDArray[np.int32]
Vectors = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


_FEW = 1_000
"""Number of ids up to which each is looked up by itself."""


@dataclass(frozen=True, eq=False)
class IdMap:
    """An immutable two-way map between ids (non-empty strings) and rows (0 .. n-1).

    Attributes:
        kind: Kind of thing that the ids name ("item", "user"), for messages.
        index: Ids in row order.

    Example:
        >>> items = IdMap.of("item", ["lamp", "rug"])
        >>> items.rows(["rug", "lamp"]).tolist(), items.id(0)
        ([1, 0], 'lamp')
    """

    kind: str
    index: pd.Index[Any]

    @classmethod
    def of(cls, kind: str, ids: Iterable[str]) -> IdMap:
        """Number ``ids`` in the order given.

        Raises:
            DataError: An id is empty, not a string, or there twice.
        """
        index = pd.Index(list(ids), dtype=object)
        for position, value in enumerate(index):
            if not isinstance(value, str) or not value:
                raise DataError(
                    f"{kind} ids must be non-empty strings; position {position} holds {value!r}"
                )
        if not index.is_unique:
            twice = index[index.duplicated()][0]
            raise DataError(f"{kind} id '{twice}' is there more than once; ids must be unique")
        return cls(kind, index)

    def __len__(self) -> int:
        return len(self.index)

    def __contains__(self, value: object) -> bool:
        return value in self._row_of

    def id(self, row: int) -> str:
        """The id of one row."""
        return str(self.index[row])

    def ids(self, rows: Rows) -> list[str]:
        """The ids of many rows, in their order."""
        found: list[str] = self._ids[rows].tolist()
        return found

    @cached_property
    def _row_of(self) -> dict[str, int]:
        """Row per id: for one id, pandas takes 20 times as long."""
        return {value: row for row, value in enumerate(self._ids.tolist())}

    @cached_property
    def _ids(self) -> npt.NDArray[np.object_]:
        return self.index.to_numpy(dtype=object)

    def row(self, value: str) -> int:
        """The row of one id.

        Raises:
            UnknownIdError: The id is not in the map; the nearest known id is suggested.
        """
        row = self._row_of.get(value)
        if row is None:
            raise UnknownIdError(self._unknown(value), field=f"{self.kind}_id")
        return row

    def rows(self, values: Sequence[str], *, unknown: Literal["raise", "skip"] = "raise") -> Rows:
        """The rows of many ids, int32 ``[n]``; with ``unknown="skip"`` unknown ids are left out.

        Raises:
            UnknownIdError: An id is unknown and ``unknown="raise"``.
        """
        found = self.lookup(values)
        missing = np.flatnonzero(found < 0)
        if len(missing) and unknown == "raise":
            raise UnknownIdError(self._unknown(values[int(missing[0])]), field=f"{self.kind}_id")
        return found[found >= 0].astype(np.int32)

    def lookup(self, values: Sequence[str]) -> npt.NDArray[np.int64]:
        """The rows of many ids, int64 ``[n]``; -1 for unknown ones."""
        if len(values) <= _FEW:
            return np.array([self._row_of.get(value, -1) for value in values], np.int64)
        rows = self.index.get_indexer(pd.Index(list(values), dtype=object))
        return np.asarray(rows, np.int64)

    def _unknown(self, value: str) -> str:
        hint = suggestion(value, map(str, self.index))
        return f"unknown {self.kind} id {value!r:.80}: not among the {len(self):,} known{hint}"
