"""Query vectors with which a retriever searches its spaces."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.ids import Vectors
from recsys.retrieval import Retriever
from recsys_client.request import Request

_REQUESTS_AT_ONCE = 256


class RecordingIndex:
    """An index that keeps the queries of every search."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self.queries: list[Vectors] = []

    def search(self, queries: Vectors, k: int, **options: Any) -> Any:
        """Keep the queries; the answer of the index."""
        self.queries.append(np.array(queries))
        return self._index.search(queries, k, **options)

    def __len__(self) -> int:
        return len(self._index)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)


def query_vectors(retriever: Retriever, requests: Sequence[Request]) -> Vectors:
    """Vectors of requests for one space, float32 ``[at most len(requests), d]``.

    Requests that the space cannot answer have none. The order is not that of the requests.
    """
    recorders = {name: RecordingIndex(space.index) for name, space in retriever.spaces.items()}
    spaces = {
        name: dataclasses.replace(space, index=recorders[name])  # type: ignore[arg-type]
        for name, space in retriever.spaces.items()
    }
    recording = dataclasses.replace(retriever, spaces=spaces)
    for start in range(0, len(requests), _REQUESTS_AT_ONCE):
        recording.answer(requests[start : start + _REQUESTS_AT_ONCE])
    seen = [queries for recorder in recorders.values() for queries in recorder.queries]
    return np.concatenate(seen) if seen else np.zeros((0, 0), np.float32)
