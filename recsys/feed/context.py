"""What the stages of one request read: the request in rows, and the state that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.feed.view import FeedView
from recsys.ids import Rows, Vectors
from recsys_client.feed import FeedRequest

_NO_ROWS = np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class FeedContext:
    """One request with its ids resolved.

    Attributes:
        request: The request.
        view: The state that answers.
        user: Row of the user among those of the training, or None.
        history: Item rows, oldest first, int32 ``[h]``.
        times: Seconds since 1970 per history item, int64 ``[h]``; None where not known.
        excluded: Rows that the request excludes.
        given: Rows of the candidates of the request.
        given_scores: Their scores, float32; None where only the order is known.
        pinned: Rows for pinned positions.
        promoted: Rows for promoted positions.
        now: Time of the request in seconds since 1970.
        seed: Seed of the random choices.
        known_user: Whether there is a history of the user.
        unknown: Ids that are not in the catalogue by the field of the request.
    """

    request: FeedRequest
    view: FeedView
    user: int | None = None
    history: Rows = field(default_factory=lambda: _NO_ROWS)
    times: npt.NDArray[np.int64] | None = None
    excluded: Rows = field(default_factory=lambda: _NO_ROWS)
    given: Rows = field(default_factory=lambda: _NO_ROWS)
    given_scores: Vectors | None = None
    pinned: Rows = field(default_factory=lambda: _NO_ROWS)
    promoted: Rows = field(default_factory=lambda: _NO_ROWS)
    now: int = 0
    seed: int = 0
    known_user: bool = False
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def k(self) -> int:
        """Number of items of the feed."""
        return self.request.k

    @cached_property
    def hidden(self) -> Rows:
        """Rows that sources need not return: excluded ones, and the history if it is hidden."""
        seen = self.history if self.request.seen == "exclude" else _NO_ROWS
        return np.unique(np.concatenate([self.excluded, seen])).astype(np.int32)
