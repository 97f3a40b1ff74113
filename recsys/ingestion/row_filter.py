"""Which rows of the tables are kept, and why the others are not."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.ingestion.report import EXAMPLES, Group, TableReport


class RowFilter:
    """A mask over the rows of one table, or of several that follow each other, with its reasons.

    It is made from the row numbers (from 1) of each table, by its name.

    Attributes:
        keep: Rows that are kept, bool ``[n]``.

    Example:
        >>> rows = RowFilter({"items": np.array([1, 2, 3])})
        >>> ids = pa.chunked_array([["a", "b", "c"]])
        >>> rows.drop("unwanted", np.array([True, False, False]), ids)
        >>> rows.report("items").kept
        2
    """

    def __init__(self, rows: dict[str, npt.NDArray[np.int64]]) -> None:
        self._numbers = np.concatenate(list(rows.values()))
        self._table = np.repeat(np.arange(len(rows)), [len(numbers) for numbers in rows.values()])
        self._names = list(rows)
        self._groups: dict[str, list[Group]] = {name: [] for name in rows}
        self.keep: Mask = np.ones(len(self._numbers), bool)

    def drop(
        self,
        reason: str,
        gone: Mask,
        values: pa.ChunkedArray,
        *,
        policy: Literal["raise", "skip"] = "skip",
        remedy: str = "",
    ) -> None:
        """Leave out the rows of ``gone`` that are still kept, or raise for the first of them."""
        gone = gone & self.keep
        found = np.flatnonzero(gone)
        if not len(found):
            return
        if policy == "raise":
            row = int(found[0])
            more = f", and {len(found) - 1:,} more rows" if len(found) > 1 else ""
            raise DataError(
                f"{self._names[self._table[row]]}, row {self._numbers[row]}: {reason} "
                f"({_text(values[row])!r:.80}){more}; {remedy}"
            )
        for table, name in enumerate(self._names):
            rows = found[self._table[found] == table]
            if len(rows):
                first = rows[:EXAMPLES].tolist()
                examples = tuple(_text(values[row]) for row in first)
                numbers = tuple(int(self._numbers[row]) for row in first)
                self._groups[name].append(Group(reason, len(rows), numbers, examples))
        self.keep = self.keep & ~gone

    def report(self, table: str, *, joined: int = 0) -> TableReport:
        """Report of one table, with ``joined`` rows that are not here but in another table."""
        own = self._table == self._names.index(table)
        kept = int((self.keep & own).sum()) + joined
        return TableReport(int(own.sum()) + joined, kept, tuple(self._groups[table]))


def row_numbers(size: int) -> npt.NDArray[np.int64]:
    """The row numbers of a whole table, from 1."""
    return np.arange(1, size + 1)


def _text(value: pa.Scalar) -> str:
    plain: Any = value.as_py()
    return "nothing" if plain is None or plain != plain else str(plain)
