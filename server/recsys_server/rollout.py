"""The bundles that answer requests: the active one, and a canary for a share of the users.

Every servicer holds one :class:`Rollout` and reads ``current`` once per request, which it then
finishes on that bundle. A new deployment replaces it in one assignment.
"""

from __future__ import annotations

import gc
import hashlib
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from recsys.bundle import Bundle
from recsys.errors import NotFoundError, RecsysError
from recsys.feed import Feed
from recsys.retrieval import Request, Response
from recsys.store import Store

if TYPE_CHECKING:
    from recsys.live import LiveEngine, Snapshot

CLOSE_SECONDS = 60.0
"""Time after which the engine and the audit of a replaced bundle are closed."""


class Retriever(Protocol):
    """The part of ``recsys.retrieval.Retriever`` that the service uses. Thread-safe."""

    @property
    def bundle_version(self) -> str:
        """Version of the bundle that answers."""

    def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
        """For each request the response or the error; requests need nothing in common."""


@dataclass(frozen=True, eq=False)
class BundleView:
    """One state of a bundle, from which a request is answered.

    Attributes:
        retriever: Retriever over it.
        snapshot: Snapshot of the store, or None where none is followed.
    """

    retriever: Retriever
    snapshot: Snapshot | None = None

    @property
    def watermark(self) -> int:
        """Sequence number of the last change that it includes."""
        return 0 if self.snapshot is None else self.snapshot.watermark

    def state_of(self, user_id: str | None) -> tuple[int, int]:
        """State on which the answers to requests of a user depend; see ``Snapshot.state_of``."""
        return (0, 0) if self.snapshot is None else self.snapshot.state_of(user_id)


@dataclass(frozen=True, eq=False)
class LoadedBundle:
    """A bundle that is in memory and checked.

    Attributes:
        version: Version of the bundle.
        source: Retriever over the bundle.
        bundle: The bundle itself, or None where a retriever is served without one.
        engine: Engine that follows the store, or None without a store. It is closed when no
            request uses this object any more, as is the audit of the bundle.
        feed: Feeds over the bundle, or None without any.
    """

    version: str
    source: Retriever
    bundle: Bundle | None = None
    engine: LiveEngine | None = None
    feed: Feed | None = None

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        store: Store | None = None,
        *,
        collect: Callable[[], object] = gc.collect,
    ) -> LoadedBundle:
        """The form in which an open bundle is served.

        Args:
            bundle: The bundle.
            store: Store that is followed, opened for this bundle alone; it is closed with it.
            collect: Function that frees what has been closed, in reference cycles, too.

        Raises:
            StoreError: The store cannot be read, or ends before the bundle's watermark.
        """
        bundle.feed.warm_up()
        closed: list[_Closed] = []
        if store is None:
            loaded = cls(bundle.version, bundle.retriever, bundle, feed=bundle.feed)
        else:
            engine = bundle.live(store)
            feed = bundle.feed.following(store)
            loaded = cls(bundle.version, bundle.retriever, bundle, engine, feed)
            closed += [engine, store]
        if (audit := bundle.retriever.audit) is not None:
            closed.append(audit)
        if closed:
            weakref.finalize(loaded, _close_later, closed, collect).atexit = False
        return loaded

    @property
    def retriever(self) -> Retriever:
        """Retriever that answers now, with every acknowledged change; a request reads it once."""
        return self.view().retriever

    def view(self) -> BundleView:
        """What answers now, with every acknowledged change; it may read the store."""
        if self.engine is None:
            return BundleView(self.source)
        snapshot = self.engine.latest()
        return BundleView(snapshot.retriever, snapshot)

    def settled(self) -> BundleView | None:
        """The same without reading the store; None where the store may have something newer."""
        if self.engine is None:
            return BundleView(self.source)
        try:
            if self.engine.store.advanced():
                return None
        except RecsysError:
            return None
        snapshot = self.engine.snapshot
        return BundleView(snapshot.retriever, snapshot)


@dataclass(frozen=True, eq=False)
class Deployment:
    """The bundles that answer at one moment.

    Attributes:
        active: Bundle of all requests but those of the canary.
        canary: Bundle of a share of the users, or None.
        share: Share of the users that the canary answers, from 0 to 1.

    Example:
        >>> from types import SimpleNamespace
        >>> old, new = (LoadedBundle(name, SimpleNamespace()) for name in ("old", "new"))
        >>> half = Deployment(old, canary=new, share=0.5)
        >>> [half.for_user(name).version for name in ("", "ann", "bob", "eve")]
        ['old', 'old', 'new', 'new']
    """

    active: LoadedBundle
    canary: LoadedBundle | None = None
    share: float = 0.0

    def for_user(self, user_id: str) -> LoadedBundle:
        """Bundle that answers for a user; "" is a request without one, which the active answers.

        The choice depends on the id and the share only: a user stays with the canary while the
        share grows, on every worker.
        """
        if self.canary is None or not user_id or user_fraction(user_id) >= self.share:
            return self.active
        return self.canary

    def choose(self, bundle: str, user_id: str) -> LoadedBundle:
        """Bundle of a name: "active", "canary" or a version; for "" that of the user.

        Raises:
            NotFoundError: No such bundle answers.
        """
        if not bundle:
            return self.for_user(user_id)
        if bundle in ("active", self.active.version):
            return self.active
        if self.canary is not None and bundle in ("canary", self.canary.version):
            return self.canary
        canary = "none" if self.canary is None else self.canary.version
        raise NotFoundError(
            f"the bundle {bundle!r:.80} does not answer; the active one is {self.active.version},"
            f" the canary {canary}",
            field="bundle",
        )


class Rollout:
    """Holder of the current deployment, shared by the servicers of a process.

    Attributes:
        current: Deployment that answers new requests; replaced in one assignment.
    """

    def __init__(self, current: Deployment) -> None:
        self.current = current


class _Closed(Protocol):
    def close(self) -> None: ...


def _close_later(parts: list[_Closed], collect: Callable[[], object]) -> None:
    """Close and free parts of a bundle that no deployment has, after the calls that use them."""

    def close() -> None:
        while parts:
            parts.pop(0).close()  # nothing keeps them when they are collected
        collect()

    timer = threading.Timer(CLOSE_SECONDS, close)
    timer.daemon = True
    timer.start()


def user_fraction(user_id: str) -> float:
    """Number in [0, 1) that an id is hashed to, uniform over ids and the same in every process."""
    digest = hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64
