"""What the stages of one request read: the request in rows, and the state that answers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError
from recsys.feed.view import FeedView
from recsys.ids import Rows, Vectors
from recsys.index import RowSet
from recsys.retrieval import TWO_TOWER
from recsys.retrieval.parsing import ParsedRequest
from recsys_client.feed import FeedRequest

_NO_ROWS = np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class FeedContext:
    """One request with its ids resolved; any number of threads read it.

    Attributes:
        request: The request.
        view: The state that answers.
        query: The request for the query tower, parsed; None where the view has no towers.
        history: Item rows, oldest first, int32 ``[h]``.
        times: Seconds since 1970 per history item, int64 ``[h]``; None where not known.
        excluded: Rows that the request excludes.
        allowed: Rows that the filters of the request and of the pipeline allow; None for all.
        blocked: Rows with a value that the request blocks; None without any.
        followed: Rows with a value that the user follows; None without any.
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
    query: ParsedRequest | None = None
    history: Rows = field(default_factory=lambda: _NO_ROWS)
    times: npt.NDArray[np.int64] | None = None
    excluded: Rows = field(default_factory=lambda: _NO_ROWS)
    allowed: RowSet | None = None
    blocked: RowSet | None = None
    followed: RowSet | None = None
    given: Rows = field(default_factory=lambda: _NO_ROWS)
    given_scores: Vectors | None = None
    pinned: Rows = field(default_factory=lambda: _NO_ROWS)
    promoted: Rows = field(default_factory=lambda: _NO_ROWS)
    now: int = 0
    seed: int = 0
    known_user: bool = False
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def k(self) -> int:
        """Number of items of the feed."""
        return self.request.k

    @cached_property
    def hidden(self) -> Rows:
        """Rows that sources do not return: excluded ones, and the history if it is hidden."""
        seen = self.history if self.request.seen == "exclude" else _NO_ROWS
        return np.unique(np.concatenate([self.excluded, seen])).astype(np.int32)

    def user_vector(self) -> Vectors:
        """The query tower's vector of the request, float32 ``[d]``; encoded once.

        Raises:
            InvalidRequestError: The towers read nothing of the request.
        """
        with self._lock:
            found = self.__dict__.get("_user_vector")
            if found is None:
                if self.query is None:
                    raise InvalidRequestError("the bundle has no towers", field="query")
                found = self.view.retriever.encode(self.query)[TWO_TOWER].vector
                self.__dict__["_user_vector"] = found
            return found

    def last(self, n: int) -> Rows:
        """The last n different items of the history, the latest first."""
        latest = self.history[::-1]
        _, first = np.unique(latest, return_index=True)
        return latest[np.sort(first)[:n]]
