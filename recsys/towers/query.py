"""The input of a query tower: a batch of queries as arrays of rows and vectors.

No TensorFlow here, so that callers can build queries without loading it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask, Rows, Vectors

Moments = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class QueryBatch:
    """b queries. Every part but the histories may be unknown for some or all of them.

    Attributes:
        histories: Per query its item rows, oldest first, of any length.
        users: User rows, int32 ``[b]``; read only where ``user_known``.
        user_known: bool ``[b]``.
        terms: Encoded search terms, float32 ``[b, t]``; read only where ``terms_known``.
        terms_known: bool ``[b]``.
        context: Per context column its rows, int32 ``[b]``; read only where ``context_known``.
        context_known: Per context column bool ``[b]``.
        times: Per query the times of its history, seconds since 1970, int64; read only where
            ``times_known``; None where none are known.
        times_known: bool ``[b]``, or None where ``times`` is.

    Example:
        >>> batch = QueryBatch.of([np.array([3, 1], np.int32), np.array([], np.int32)])
        >>> len(batch), batch.user_known.tolist()
        (2, [False, False])
    """

    histories: Sequence[Rows]
    users: Rows
    user_known: Mask
    terms: Vectors
    terms_known: Mask
    context: Mapping[str, Rows] = field(default_factory=dict)
    context_known: Mapping[str, Mask] = field(default_factory=dict)
    times: Sequence[Moments] | None = None
    times_known: Mask | None = None

    @classmethod
    def of(
        cls,
        histories: Sequence[Rows],
        *,
        users: Rows | None = None,
        user_known: Mask | None = None,
        terms: Vectors | None = None,
        terms_known: Mask | None = None,
        context: Mapping[str, Rows] | None = None,
        context_known: Mapping[str, Mask] | None = None,
        times: Sequence[Moments] | None = None,
        times_known: Mask | None = None,
    ) -> QueryBatch:
        """A batch with defaults for absent parts; a part without a mask is known.

        Raises:
            DataError: A part does not hold one value per query, or a known history not one time per
                item.
        """
        size = len(histories)
        context = dict(context or {})
        known = {name: np.ones(size, np.bool_) for name in context} | dict(context_known or {})
        batch = cls(
            histories,
            np.zeros(size, np.int32) if users is None else users,
            _known(user_known, users is not None, size),
            np.zeros((size, 0), np.float32) if terms is None else terms,
            _known(terms_known, terms is not None, size),
            context,
            known,
            times,
            None if times is None else _known(times_known, True, size),
        )
        parts: dict[str, Sized] = {
            "users": batch.users,
            "user_known": batch.user_known,
            "terms": batch.terms,
        }
        parts |= {"terms_known": batch.terms_known, **context, **known}
        if batch.times is not None and batch.times_known is not None:
            parts |= {"times": batch.times, "times_known": batch.times_known}
        for name, part in parts.items():
            if len(part) != size:
                raise DataError(f"'{name}' must hold one value per query: {size}; got {len(part)}")
        _check_times(batch)
        return batch

    def __len__(self) -> int:
        return len(self.histories)

    def slice(self, start: int, stop: int) -> QueryBatch:
        """The queries from ``start`` up to ``stop``."""
        part = slice(start, stop)
        return QueryBatch(
            self.histories[part],
            self.users[part],
            self.user_known[part],
            self.terms[part],
            self.terms_known[part],
            {name: rows[part] for name, rows in self.context.items()},
            {name: known[part] for name, known in self.context_known.items()},
            None if self.times is None else self.times[part],
            None if self.times_known is None else self.times_known[part],
        )


def _check_times(batch: QueryBatch) -> None:
    if batch.times is None or batch.times_known is None:
        return
    for query in np.flatnonzero(batch.times_known).tolist():
        items, times = len(batch.histories[query]), len(batch.times[query])
        if np.asarray(batch.times[query]).dtype.kind != "i":
            raise DataError(f"the times of query {query} must be whole seconds, an int64 array")
        if items != times:
            raise DataError(
                f"query {query} has {items} items in its history and {times} times: give one time"
                " per item, or set times_known to False"
            )


def _known(mask: Mask | None, given: bool, size: int) -> Mask:
    return np.full(size, given) if mask is None else mask
