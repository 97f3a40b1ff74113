"""Keeps the books of ingestion: which rows are still kept, and why the others are not."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.ingestion.report import EXAMPLES, Group, TableReport


class Ledger:
    """Rows that may come from more than one table.

    Example:
        >>> ledger = Ledger({"items": np.array([1, 2, 3])})
        >>> ledger.drop("not wanted", np.array([True, False, False]), pd.Series(["a", "b", "c"]))
        >>> ledger.report("items").kept
        2

    Args:
        rows: Per table the numbers (from 1) of its rows here; the tables follow each other.
    """

    def __init__(self, rows: dict[str, npt.NDArray[np.int64]]) -> None:
        self._numbers = np.concatenate(list(rows.values()))
        self._table = np.repeat(np.arange(len(rows)), [len(numbers) for numbers in rows.values()])
        self._names = list(rows)
        self._groups: dict[str, list[Group]] = {name: [] for name in rows}
        self.keep: Mask = np.ones(len(self._numbers), bool)

    def drop(self, reason: str, gone: Mask, values: pd.Series[Any]) -> None:
        """Leave out the rows where ``gone`` holds and that are still kept.

        Args:
            reason: Told in the report.
            gone: bool ``[n]``.
            values: What the rows hold, ``[n]``; the first few are told.
        """
        gone = gone & self.keep
        if not gone.any():
            return
        for table, name in enumerate(self._names):
            where = np.flatnonzero(gone & (self._table == table))
            if len(where):
                first = where[:EXAMPLES]
                told = tuple(_told(value) for value in values.iloc[first].tolist())
                rows = tuple(int(row) for row in self._numbers[first])
                self._groups[name].append(Group(reason, len(where), rows, told))
        self.keep = self.keep & ~gone

    def drop_or_raise(
        self,
        policy: Literal["raise", "skip"],
        reason: str,
        gone: Mask,
        values: pd.Series[Any],
        *,
        remedy: str,
    ) -> None:
        """As :meth:`drop`, or an error for the first such row.

        Raises:
            DataError: The policy is "raise" and there is such a row.
        """
        bad = np.flatnonzero(gone & self.keep)
        if len(bad) and policy == "raise":
            row = int(bad[0])
            more = f", and {len(bad) - 1:,} more rows" if len(bad) > 1 else ""
            raise DataError(
                f"{self._names[self._table[row]]}, row {self._numbers[row]}: {reason} "
                f"({_told(values.iloc[row])!r:.80}){more}; {remedy}"
            )
        self.drop(reason, gone, values)

    def report(self, table: str, *, settled: int = 0) -> TableReport:
        """The books of one table; ``settled`` rows of it were kept before and are not here."""
        mine = self._table == self._names.index(table)
        kept = int((self.keep & mine).sum()) + settled
        return TableReport(int(mine.sum()) + settled, kept, tuple(self._groups[table]))


def _told(value: Any) -> str:
    return "nothing" if pd.api.types.is_scalar(value) and pd.isna(value) else str(value)


def numbered(size: int) -> npt.NDArray[np.int64]:
    """The row numbers of a whole table, from 1."""
    return np.arange(1, size + 1)
