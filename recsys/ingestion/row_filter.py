"""Which rows of the tables are kept, why the others are not, and which values are missing."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.ingestion.report import EXAMPLES, Group, TableReport, short_text


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
        self._dropped: dict[str, list[Group]] = {name: [] for name in rows}
        self._missing: list[tuple[str, Mask, pa.ChunkedArray, str]] = []
        self.keep: Mask = np.ones(len(self._numbers), bool)

    def drop(
        self,
        reason: str,
        gone: Mask,
        values: pa.ChunkedArray,
        *,
        policy: Literal["raise", "skip"] = "skip",
        remedy: str = "",
        column: str = "",
    ) -> None:
        """Leave out the rows of ``gone`` that are still kept, or raise for the first of them."""
        self._refuse(policy, reason, gone, values, column, remedy)
        for table, groups in self._dropped.items():
            groups += self._groups(table, reason, gone, values, column)
        self.keep = self.keep & ~gone

    def miss(
        self,
        reason: str,
        unread: Mask,
        values: pa.ChunkedArray,
        *,
        column: str,
        policy: Literal["raise", "skip"] = "skip",
        remedy: str = "",
    ) -> None:
        """Report the values of ``unread``, which become missing, or raise for the first of them.

        The rows are kept. Values of rows that are left out afterwards are not in the report.
        """
        self._refuse(policy, reason, unread, values, column, remedy)
        self._missing.append((reason, unread, values, column))

    def _refuse(
        self,
        policy: Literal["raise", "skip"],
        reason: str,
        rows: Mask,
        values: pa.ChunkedArray,
        column: str,
        remedy: str,
    ) -> None:
        found = np.flatnonzero(rows & self.keep)
        if policy == "skip" or not len(found):
            return
        row = int(found[0])
        about = f"'{column}' is {reason}" if column else reason
        more = f", and {len(found) - 1:,} more rows" if len(found) > 1 else ""
        raise DataError(
            f"{self._names[self._table[row]]}, row {self._numbers[row]}: {about} "
            f"({short_text(values[row].as_py())!r}){more}; {remedy}"
        )

    def _groups(
        self, table: str, reason: str, rows: Mask, values: pa.ChunkedArray, column: str
    ) -> list[Group]:
        """The kept ones of ``rows`` in one table as a group, if there are any."""
        own = np.flatnonzero(rows & self.keep & self._is_in(table))
        first = own[:EXAMPLES].tolist()
        examples = tuple(short_text(values[row].as_py()) for row in first)
        numbers = tuple(int(self._numbers[row]) for row in first)
        return [Group(reason, len(own), numbers, examples, column)] if first else []

    def report(self, table: str, *, joined: int = 0) -> TableReport:
        """Report of one table, with ``joined`` rows that are not here but in another table."""
        own = self._is_in(table)
        kept = int((self.keep & own).sum()) + joined
        missing = [group for each in self._missing for group in self._groups(table, *each)]
        return TableReport(
            int(own.sum()) + joined, kept, tuple(self._dropped[table]), tuple(missing)
        )

    def numbers(self, table: str) -> list[int]:
        """Numbers of the kept rows of one table, from 1."""
        kept: list[int] = self._numbers[self.keep & self._is_in(table)].tolist()
        return kept

    def _is_in(self, table: str) -> Mask:
        own: Mask = self._table == self._names.index(table)
        return own


def row_numbers(size: int) -> npt.NDArray[np.int64]:
    """The row numbers of a whole table, from 1."""
    return np.arange(1, size + 1)
