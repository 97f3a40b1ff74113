"""An order of items, sorted only as far as it is read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows

Keys = npt.NDArray[np.floating]
_FIRST, _GROWTH = 1_024, 8


class ItemOrder:
    """Rows by their keys, the largest first, of equal ones those with lower positions first.

    The first thousand of a large catalogue cost a tenth of the whole order, and are all that most
    readers need. Threads may read it at once.

    Args:
        keys: Key of each row, ``[n]``; minus infinity for rows that are not in the order.
        rows: Item rows, int32 ``[n]``; None for 0 to n-1.

    Example:
        >>> order = ItemOrder(np.array([1.0, 9.0, -np.inf, 9.0]))
        >>> len(order), order.first(10).tolist()
        (3, [1, 3, 0])
    """

    def __init__(self, keys: Keys, rows: Rows | None = None) -> None:
        inside = np.flatnonzero(keys > -np.inf).astype(np.int32)
        self._rows = inside if rows is None else rows[inside]
        self._keys = keys[inside]
        self._sorted = np.empty(0, np.int32)

    def __len__(self) -> int:
        return len(self._rows)

    def first(self, n: int) -> Rows:
        """The first n rows or more, int32; all where there are fewer."""
        found, size = self._sorted, len(self)
        if len(found) < min(n, size):
            found = self._begin(min(max(n, _FIRST, _GROWTH * len(found)), size))
            self._sorted = found
        return found

    def _begin(self, n: int) -> Rows:
        """The first n rows, and those whose keys equal that of the last."""
        keys, rows = self._keys, self._rows
        if n < len(keys):
            least = np.partition(keys, len(keys) - n)[len(keys) - n]
            chosen = np.flatnonzero(keys >= least)
            keys, rows = keys[chosen], rows[chosen]
        found: Rows = rows[np.argsort(-keys, kind="stable")]
        return found
