"""Sets of rows as expressions of Milvus."""

from __future__ import annotations

import numpy as np

from recsys.ids import Rows
from recsys.index.rows import RowSet

MAX_TERMS = 2_048
"""Number of rows and ranges above which Milvus would parse longer than it searches."""


def row_expression(allowed: RowSet) -> str | None:
    """Expression that is true for the rows of a set, or None if it would be too long.

    The rows or the others are written, whichever has fewer terms; adjacent rows are a range. The
    expression of all rows is "".

    Example:
        >>> row_expression(RowSet.of_rows([1, 2, 3, 7], 10))
        '((row >= 1 and row <= 3) or row in [7])'
        >>> row_expression(RowSet.all(10) - RowSet.of_rows([4, 6], 10))
        'not (row in [4, 6])'
    """
    inside, outside = _runs(allowed.rows), _runs((RowSet.all(allowed.size) - allowed).rows)
    if not len(outside):
        return ""
    if min(len(inside), len(outside)) > MAX_TERMS:
        return None
    return f"({_any(inside)})" if len(inside) <= len(outside) else f"not ({_any(outside)})"


def _runs(rows: Rows) -> Rows:
    """First and last of each run of adjacent rows, int32 ``[runs, 2]``; rows ascend."""
    breaks = np.flatnonzero(np.diff(rows) > 1)
    first = np.concatenate([rows[:1], rows[breaks + 1]])
    last = np.concatenate([rows[breaks], rows[-1:]])
    return np.stack([first, last], axis=1)


def _any(runs: Rows) -> str:
    single = runs[:, 0] == runs[:, 1]
    terms = [f"(row >= {low} and row <= {high})" for low, high in runs[~single].tolist()]
    if single.any():
        terms.append(f"row in [{', '.join(map(str, runs[single, 0].tolist()))}]")
    return " or ".join(terms)
