"""Answers to repeated requests, by the bundle, the state that it answered from and the request."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_server.rollout import Deployment, LoadedBundle

CACHE_BYTES = 64 * 1024 * 1024
"""Number of bytes of requests and responses, at most."""
LONGEST_REQUEST = 64 * 1024
"""Number of bytes of a request above which its answer is not kept."""
_ENTRY_BYTES = 500
"""Number of bytes that an entry takes in addition."""


@dataclass(frozen=True, eq=False)
class _Answer:
    loaded: weakref.ref[LoadedBundle]
    user_id: str | None
    state: Hashable
    response: bytes


class AnswerCache:
    """The answers that were used last, of the event loop's thread alone.

    An answer is used again while the same bundle answers and neither the items nor the interactions
    of the request's user have changed.

    Args:
        limit: Number of bytes of requests and responses, at most.

    Example:
        >>> AnswerCache(limit=1_000).bytes
        0
    """

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self.bytes = 0
        self._limit = limit
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()
        self._bundles: weakref.WeakSet[LoadedBundle] = weakref.WeakSet()

    def find(self, raw: bytes, deployment: Deployment) -> bytes | None:
        """The response to a request, with the watermark of now; None where it is not known."""
        answer = self._answers.get(raw)
        if answer is None:
            return None
        loaded = deployment.for_user(answer.user_id or "")
        if loaded is not answer.loaded():
            self._remove(raw)
            return None
        view = loaded.settled()
        if view is None:
            return None
        if view.state_of(answer.user_id) != answer.state:
            self._remove(raw)
            return None
        self._answers.move_to_end(raw)
        if not view.watermark:
            return answer.response
        # Of a field that is there twice, the last one counts.
        return answer.response + pb.RetrieveResponse(watermark=view.watermark).SerializeToString()

    def store(
        self,
        raw: bytes,
        loaded: LoadedBundle,
        user_id: str | None,
        state: Hashable,
        response: bytes,
    ) -> None:
        """Keep a response; the answers that were not used for the longest time make room.

        The first response of a bundle removes those of bundles that are no longer loaded.
        """
        if loaded not in self._bundles:
            self._bundles.add(loaded)
            self._remove_unloaded()
        size = _size(raw, response)
        if len(raw) > LONGEST_REQUEST or size > self._limit // 8:
            return
        self._remove(raw)
        self._answers[raw] = _Answer(weakref.ref(loaded), user_id, state, response)
        self.bytes += size
        while self.bytes > self._limit:
            self._remove(next(iter(self._answers)))

    def _remove_unloaded(self) -> None:
        for raw in [raw for raw, answer in self._answers.items() if answer.loaded() is None]:
            self._remove(raw)

    def _remove(self, raw: bytes) -> None:
        answer = self._answers.pop(raw, None)
        if answer is not None:
            self.bytes -= _size(raw, answer.response)


def _size(raw: bytes, response: bytes) -> int:
    return len(raw) + len(response) + _ENTRY_BYTES
