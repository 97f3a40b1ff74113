"""The live engine: follows a store, and answers from the newest snapshot."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from recsys.errors import InvalidRequestError, RecsysError, ServiceError, StoreError
from recsys.index.building import Queries
from recsys.index.live import CompactionReport, CompactionRule
from recsys.live.batch import RefusedChange
from recsys.live.parts import LiveParts
from recsys.live.snapshot import Snapshot
from recsys.live.temporary import TemporaryFolder
from recsys.live.writer import SnapshotWriter
from recsys.store import Change, ItemDeleted, ItemUpserted, Store

BATCH = 1_000
"""Largest number of changes that are read at once."""
_MOST_WAITING = 2_000
"""Number of changes of items in memory from which no further changes are read."""


class LiveEngine:
    """A bundle and what happened since: follows a store and makes snapshots.

    ``snapshot`` is the newest snapshot, replaced in one assignment; reading it takes no lock. Any
    number of threads may call every method; one of them applies the changes of all.

    Args:
        parts: Parts of a bundle; ``recsys.bundle.Bundle.live`` opens an engine over its own.
        store: Store that is followed, from the bundle's watermark on; for this engine alone, since
            a store remembers what was read of it.
        folder: Folder for the files of new bases of the spaces; a temporary one by default.
        rule: When to compact a space; ``CompactionRule()`` by default.
        queries: Typical queries per space, on which new bases are tuned.

    Raises:
        StoreError: The store cannot be read, or ends before the bundle's watermark.

    Example:
        >>> import tempfile; import numpy as np
        >>> from recsys.catalogue import catalogue_of_ids
        >>> from recsys.features import ItemEncoder
        >>> from recsys.ids import IdMap
        >>> from recsys.index import ExactConfig
        >>> from recsys.interactions import Interactions
        >>> from recsys.retrieval import Retriever, Space
        >>> from recsys.store import open_store
        >>> catalogue, vectors = catalogue_of_ids(["lamp", "rug"]), np.eye(2, dtype=np.float32)
        >>> log = Interactions.of(IdMap.of("user", []), catalogue.ids, user=[], item=[], time=[])
        >>> space = Space.content("text", vectors, np.ones(2, bool), ExactConfig())
        >>> retriever = Retriever(catalogue, log, None, {"text": space})
        >>> parts = LiveParts(retriever, ItemEncoder(), "fixed")
        >>> store = open_store(Path(tempfile.mkdtemp()) / "store.db")
        >>> with LiveEngine(parts, store) as engine:
        ...     _ = store.append([ItemUpserted("desk lamp", vectors={"text": [3, 1]})])
        ...     engine.catch_up().retriever.retrieve(item_id="lamp", space="text", k=1).ids
        ['desk lamp']
    """

    def __init__(
        self,
        parts: LiveParts,
        store: Store,
        folder: Path | None = None,
        *,
        rule: CompactionRule | None = None,
        queries: Mapping[str, Queries] | None = None,
    ) -> None:
        if store.watermark < parts.watermark:
            raise StoreError(
                f"the bundle was made from a store with {parts.watermark:,} changes, and the store "
                f"{store.where} has {store.watermark:,}; open the store that it was made from"
            )
        self._parts, self._store = parts, store
        self._temporary = TemporaryFolder("recsys-live-") if folder is None else None
        if folder is None and self._temporary is not None:
            folder = self._temporary.path
        self._writer = SnapshotWriter(parts, folder or Path(), rule=rule, queries=queries)
        self._reading = threading.Lock()
        self._wake, self._is_closed = threading.Event(), False
        self._thread = threading.Thread(target=self._follow, name="live items", daemon=True)
        self._thread.start()
        self.fault: Exception | None = None
        try:
            self.catch_up()
        except BaseException:
            self.close()
            raise

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; a request reads it once and finishes on it."""
        return self._writer.current

    @property
    def store(self) -> Store:
        """The store that is followed."""
        return self._store

    @property
    def catalogue_kind(self) -> Literal["fixed", "open"]:
        """Whether items unknown to training can be upserted ("open"), or not without a vector."""
        return self._parts.kind

    @property
    def waiting(self) -> int:
        """Number of changes of items that wait for the encoders."""
        return self._writer.backlog

    @property
    def refused(self) -> tuple[RefusedChange, ...]:
        """The last changes of the store that no snapshot includes; ``refusals`` counts all."""
        return tuple(self._writer.refused)

    @property
    def refusals(self) -> int:
        """Number of changes of the store that no snapshot includes."""
        return self._writer.refusals

    @property
    def compactions(self) -> dict[str, CompactionReport | None]:
        """Report of the last compaction per space."""
        return self._writer.spaces.last_compactions

    def check(self, changes: Iterable[Change]) -> None:
        """Check changes before they are recorded.

        Raises:
            InvalidRequestError: An item cannot be upserted with this bundle, such as one with an
                unknown attribute, or a new item where the catalogue is fixed.
        """
        known, since = self.snapshot.catalogue.ids, dict[str, bool]()
        for change in changes:
            if isinstance(change, ItemUpserted):
                item = change.item_id
                self._writer.encoder.check(change, since.get(item, item in known))
                since[item] = True
            elif isinstance(change, ItemDeleted):
                since[change.item_id] = False

    def catch_up(
        self, to: int | None = None, *, items: Literal["apply", "later"] = "apply"
    ) -> Snapshot:
        """Apply changes of the store, and return the newest snapshot.

        Args:
            to: Sequence number that the snapshot must include; None for all changes.
            items: Whether changes of items are applied, which waits for the encoders, or left to
                the engine's thread. Interactions and deletions of users are applied in both cases.

        Raises:
            StoreError: The store cannot be read; ``snapshot`` stays as it is.
            ServiceError: The engine is closed.
        """
        done = self.snapshot.watermark if items == "apply" else self._writer.read_to
        if to is not None and done >= to:
            return self.snapshot
        self._check_open()
        while not self._read(to):
            self._writer.apply_items(to)
        if items == "apply":
            self._writer.apply_items(to)
        elif self._writer.backlog:
            self._wake.set()
        self.fault = None
        return self.snapshot

    def latest(self) -> Snapshot:
        """The newest snapshot, without waiting for encoders.

        It has every interaction and every deletion of a user that any process had acknowledged
        before this call. Items that another process has upserted are encoded by a thread of this
        engine; deletions of items that follow an upsert wait for it, others are included.

        It costs some microseconds where nothing has changed. While the store cannot be read, it
        is the snapshot before, and ``fault`` is the error.
        """
        try:
            if not self._is_closed and self._store.advanced():
                self._read(None)
                self.fault = None
            if self._writer.backlog:
                self._writer.apply_deletions()
                self._wake.set()
        except RecsysError as error:
            self.fault = error
        return self.snapshot

    def picture(self, item_id: str) -> bytes | None:
        """Bytes of an item's picture; None for an unknown item and for one without.

        Raises:
            StoreError: The store cannot be read.
        """
        catalogue = self.snapshot.catalogue
        row = catalogue.ids.find(item_id)
        if row is None:
            return None
        item = self._store.item(item_id)
        if item is None and catalogue.upserted(row) is None:
            return self._parts.catalogue.image(row)
        return None if item is None else item.picture

    def compact(self) -> dict[str, CompactionReport]:
        """Compact every space now; the report per space."""
        return self._writer.spaces.compact()

    def close(self) -> None:
        """Stop the thread and running compactions; ``snapshot`` stays readable.

        The store stays open.
        """
        self._is_closed = True
        self._wake.set()
        self._thread.join()
        self._writer.spaces.close()
        if self._temporary is not None:
            self._temporary.close()

    def __enter__(self) -> LiveEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ServiceError("the live engine is closed; open another one")

    def _read(self, to: int | None) -> bool:
        """Read entries of the store up to a sequence number, or all.

        Return whether it read them; False where many changes of items wait, with their pictures.
        """
        with self._reading:
            while to is None or self._writer.read_to < to:
                if self._writer.backlog >= _MOST_WAITING:
                    return False
                entries = self._store.changes(self._writer.read_to, limit=BATCH)
                if entries:
                    self._writer.read(entries)
                if len(entries) < BATCH:
                    break
            if to is not None and self._writer.read_to < to:
                self._skip_removed(to)
        return True

    def _skip_removed(self, to: int) -> None:
        """Let the snapshot include entries up to ``to`` that were removed from the store."""
        watermark = self._store.watermark
        if watermark < to:
            raise InvalidRequestError(
                f"the store has {watermark:,} changes; got {to:,}", field="watermark"
            )
        if not self._store.changes(self._writer.read_to, limit=1):
            self._writer.reached(to)

    def _follow(self) -> None:
        """Apply changes of items whenever a reader finds some."""
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._is_closed:
                return
            try:
                self._writer.apply_items()
            except Exception as error:  # The changes wait, and the next reader tries again.
                self.fault = error
