"""Ids and context values that no request could name, by the rule of ``recsys_client.checks``."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.ingestion.row_filter import RowFilter
from recsys_client.checks import id_fault


def drop_unusable_ids(
    rows: RowFilter,
    column: str,
    codes: npt.NDArray[np.int64],
    ids: list[str],
    values: pa.ChunkedArray,
    *,
    policy: Literal["raise", "skip"],
    remedy: str,
) -> None:
    """Leave out rows whose id no request could name, or raise for the first of them.

    Args:
        rows: Filter of the table.
        column: Name of the column.
        codes: Position in ``ids`` per row, -1 where the id is missing, ``[n]``.
        ids: Distinct ids.
        values: The column.
        policy: Whether such an id is an error.
        remedy: End of the message of that error.
    """
    faults = [id_fault(each) for each in ids]
    for fault in dict.fromkeys(filter(None, faults)):
        unusable = np.array([*(each == fault for each in faults), False])
        rows.drop(f"{column} is {fault}", unusable[codes], values, policy=policy, remedy=remedy)


def unusable_values(codes: npt.NDArray[np.int64], values: list[str]) -> npt.NDArray[np.bool_]:
    """Rows whose context value no request could name, bool ``[n]``."""
    return np.array([*(bool(id_fault(each)) for each in values), False])[codes]
