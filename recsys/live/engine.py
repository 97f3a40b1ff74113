"""The live engine: follows a store, and answers from the newest snapshot."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from recsys.errors import InvalidRequestError, ServiceError, StoreError
from recsys.index.building import Queries
from recsys.index.live import CompactionReport, CompactionRule
from recsys.live.batch import RefusedChange
from recsys.live.parts import LiveParts
from recsys.live.snapshot import Snapshot
from recsys.live.writer import SnapshotWriter
from recsys.store import Change, ItemDeleted, ItemUpserted, Store

BATCH = 1_000
"""Largest number of changes per snapshot."""
_REMEMBERED = 100


class LiveEngine:
    """A bundle and what happened since: follows a store and makes snapshots.

    ``snapshot`` is the newest snapshot, replaced in one assignment: a request reads it once and
    finishes on it. Reads take no lock. :meth:`catch_up` may be called by any number of threads; one
    of them applies the changes of all.

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
        >>> import numpy as np
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
        ...     engine.latest().retriever.retrieve(item_id="lamp", space="text", k=1).ids
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
        self._lock, self._is_closed = threading.Lock(), False
        self._temporary = Path(tempfile.mkdtemp(prefix="recsys-live-")) if folder is None else None
        self._writer = SnapshotWriter(
            parts,
            folder or self._temporary or Path(),
            rule=rule,
            queries=queries,
            on_compaction=self._compacted,
        )
        self._refused: deque[RefusedChange] = deque(maxlen=_REMEMBERED)
        self.refusals = 0
        self.fault: StoreError | None = None
        self.snapshot = self._writer.current
        self.catch_up()

    @property
    def store(self) -> Store:
        """The store that is followed."""
        return self._store

    @property
    def catalogue_kind(self) -> Literal["fixed", "open"]:
        """Whether items unknown to training can be upserted ("open"), or not without a vector."""
        return self._parts.kind

    @property
    def refused(self) -> tuple[RefusedChange, ...]:
        """The last changes of the store that no snapshot includes; ``refusals`` counts all."""
        return tuple(self._refused)

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

    def catch_up(self, to: int | None = None) -> Snapshot:
        """Apply changes of the store, and return the newest snapshot.

        Args:
            to: Sequence number that the snapshot must include; None for all changes.

        Raises:
            StoreError: The store cannot be read; ``snapshot`` stays as it is.
            ServiceError: The engine is closed.
        """
        if to is not None and self.snapshot.watermark >= to:
            return self.snapshot
        with self._lock:
            self._check_open()
            while to is None or self.snapshot.watermark < to:
                entries = self._store.changes(self.snapshot.watermark, limit=BATCH)
                if entries:
                    self.snapshot, refused = self._writer.apply(entries)
                    self._refused.extend(refused)
                    self.refusals += len(refused)
                if len(entries) < BATCH:
                    break
            if to is not None and self.snapshot.watermark < to:
                self._skip_removed(to)
            self.fault = None
            return self.snapshot

    def latest(self) -> Snapshot:
        """The newest snapshot with every change that was acknowledged before this call.

        It costs some microseconds where nothing has changed. While the store cannot be read,
        it is the snapshot before, and ``fault`` is the error.
        """
        try:
            return self.catch_up() if self._store.advanced() else self.snapshot
        except StoreError as error:
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
        """Stop running compactions; ``snapshot`` stays readable. The store stays open."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._writer.spaces.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def __enter__(self) -> LiveEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ServiceError("the live engine is closed; open another one")

    def _skip_removed(self, to: int) -> None:
        """Let the snapshot include entries up to ``to`` that were removed from the store."""
        watermark = self._store.watermark
        if watermark < to:
            raise InvalidRequestError(
                f"the store has {watermark:,} changes; got {to:,}", field="watermark"
            )
        if not self._store.changes(self.snapshot.watermark, limit=1):
            self.snapshot = self._writer.reached(to)

    def _compacted(self) -> None:
        with self._lock:
            self.snapshot = self._writer.compacted()
