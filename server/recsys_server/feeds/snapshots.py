"""The feeds of a bundle over its newest snapshot."""

from __future__ import annotations

from typing import cast
from weakref import WeakKeyDictionary

from recsys.feed import Feed
from recsys.retrieval import Retriever
from recsys_server.rollout import LoadedBundle


class SnapshotFeeds:
    """The feeds of bundles, each over the state that answers now; thread-safe.

    Example:
        >>> SnapshotFeeds().current(LoadedBundle("v1", source=None)) is None
        True
    """

    def __init__(self) -> None:
        self._last: WeakKeyDictionary[LoadedBundle, Feed] = WeakKeyDictionary()

    def current(self, loaded: LoadedBundle) -> Feed | None:
        """The feeds of a bundle with every acknowledged change, or None where it has none."""
        if loaded.feed is None:
            return None
        retriever = cast(Retriever, loaded.view().retriever)
        last = self._last.get(loaded)
        if last is None or last.view.retriever is not retriever:
            last = self._last[loaded] = loaded.feed.over(retriever)
        return last
