"""The request that retrieved items are ranked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Rows, Vectors

_NO_ROWS = np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class PairContext:
    """One request: what is known of the user when the items are ranked.

    Attributes:
        history: Item rows, oldest first, int32 ``[h]``.
        times: Times of the items of ``history``, seconds since 1970, int64 ``[h]``; None where
            only their order is known.
        now: Time of the request, seconds since 1970; None where it is not known.
        terms: Search terms of the request; "" for none.
        searched: Earlier search terms of the user, oldest first.
        user_vector: The query tower's vector, float32 ``[d]``; None where no scorer reads it.
        history_vectors: Item vectors of the last items of ``history``, float32 ``[w, d]`` with
            ``w <= h``; None where no scorer reads them.

    Raises:
        DataError: Lengths differ.

    Example:
        >>> context = PairContext(np.array([4, 2], np.int32), now=1_700_000_000)
        >>> context.last(1).tolist()
        [2]
    """

    history: Rows = field(default_factory=lambda: _NO_ROWS)
    times: npt.NDArray[np.int64] | None = None
    now: int | None = None
    terms: str = ""
    searched: tuple[str, ...] = ()
    user_vector: Vectors | None = None
    history_vectors: Vectors | None = None

    def __post_init__(self) -> None:
        if self.times is not None and len(self.times) != len(self.history):
            raise DataError(f"{len(self.history)} items need as many times; got {len(self.times)}")
        if self.history_vectors is not None and len(self.history_vectors) > len(self.history):
            raise DataError(
                f"history_vectors must be of the last items of a history of {len(self.history)}; "
                f"got {len(self.history_vectors)} vectors"
            )

    def last(self, size: int) -> Rows:
        """The last ``size`` items of the history, oldest first."""
        return self.history[max(0, len(self.history) - size) :]
