"""The writer of snapshots: changes of a store in, the next snapshot out."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from pyroaring import BitMap, FrozenBitMap

from recsys.errors import RecsysError
from recsys.ids import Rows, Vectors
from recsys.index.building import Queries
from recsys.index.live import CompactionRule
from recsys.index.storage import StoredVectors
from recsys.live.batch import Batch, RefusedChange
from recsys.live.catalogue import ItemVersions, LiveCatalogue
from recsys.live.columns import LiveColumns, Segment, with_items
from recsys.live.ids import AddedIds, LiveIds
from recsys.live.parts import LiveParts
from recsys.live.snapshot import Snapshot
from recsys.live.users.histories import EventLog, LiveHistories
from recsys.live.users.popularity import LivePopularity, RecordedInteractions
from recsys.live.values import ValueCodes
from recsys.retrieval import TWO_TOWER, LiveSpace, SpaceWriter
from recsys.retrieval.filters import FilterColumns
from recsys.store import Entry, InteractionRecorded, ItemDeleted, ItemUpserted, UserDeleted
from recsys.vectors import MaskedVectors

BATCH = 1_000
"""Largest number of changes of items that are encoded together."""
_REMEMBERED = 100
MOST_REPLACED = 1_000
"""Number of replaced contents of items from which they are dropped, if they are half of all."""
Upserts = Sequence[tuple[int, ItemUpserted]]
"""Rows and contents of items that exist after a batch."""


class SnapshotWriter:
    """Makes snapshots from the changes of a store.

    Interactions and deletions of users are applied as they are read; upserts and deletions of items
    wait until :meth:`apply_items` has encoded them, which can take long. Both change different
    parts of a snapshot, so that their order does not matter. All methods are thread-safe.

    Args:
        parts: Parts of a bundle.
        folder: Folder for the files of new bases of the spaces.
        rule: When to compact a space.
        queries: Typical queries per space, on which new bases are tuned.
    """

    def __init__(
        self,
        parts: LiveParts,
        folder: Path,
        *,
        rule: CompactionRule | None = None,
        queries: Mapping[str, Queries] | None = None,
    ) -> None:
        self._parts, self.encoder = parts, parts.upsert_encoder
        self.spaces = SpaceWriter(
            parts.retriever.spaces,
            folder,
            queries=queries,
            rule=rule,
            on_compaction=self._compacted,
        )
        self._ids = AddedIds(parts.catalogue.ids)
        self._versions, self._events = ItemVersions(), EventLog()
        self._recorded = RecordedInteractions(parts.log, self._events)
        self._absent, self._rows = BitMap(), len(self._ids)
        self._applying = threading.Lock()
        """Held while items are encoded and written to the spaces."""
        self._state = threading.Lock()
        """Held for some microseconds: while ``current``, ids and events change."""
        self._items: deque[Entry] = deque()
        self.read_to = parts.watermark
        self.refused: deque[RefusedChange] = deque(maxlen=_REMEMBERED)
        self.refusals = 0
        self.current = self._first()

    def read(self, entries: Sequence[Entry]) -> None:
        """Apply events of users, and let changes of items wait.

        Args:
            entries: Entries in order, the first one after ``read_to``.
        """
        with self._state:
            n_users = self.current.histories.n_users
            for entry in entries:
                if isinstance(entry.change, ItemUpserted | ItemDeleted):
                    self._items.append(entry)
                else:
                    n_users += self._record_event(entry.sequence, entry.change)
            self.read_to = entries[-1].sequence
            histories = self.current.histories
            if len(self._events) > histories.length:
                histories = replace(histories, length=len(self._events), n_users=n_users)
            self.current = self._with(self.current, histories=histories)

    def reached(self, sequence: int) -> None:
        """Let snapshots include all entries up to a sequence number, which were removed."""
        with self._state:
            self.read_to = max(sequence, self.read_to)
            self.current = self._with(self.current)

    @property
    def backlog(self) -> int:
        """Number of changes of items that wait."""
        return len(self._items)

    def apply_items(self, to: int | None = None) -> None:
        """Encode and apply the changes of items that wait, up to a sequence number.

        A failure leaves snapshots as they are, and the changes wait.
        """
        with self._applying:
            while entries := self._next_items(to):
                self._apply(entries)

    def apply_deletions(self) -> None:
        """Apply what waits if it needs no encoder and no other thread encodes."""
        if self._applying.acquire(blocking=False):
            try:
                entries = self._next_items(None)
                if entries and all(isinstance(each.change, ItemDeleted) for each in entries):
                    self._apply(entries)
            finally:
                self._applying.release()

    def _next_items(self, to: int | None) -> list[Entry]:
        with self._state:
            some = itertools.islice(self._items, BATCH)
            return [each for each in some if to is None or each.sequence <= to]

    def _apply(self, entries: Sequence[Entry]) -> None:
        """Apply the first of the changes that wait."""
        batch, vectors = self._encoded(entries)
        known = self.current.catalogue.ids
        deleted = [row for name in batch.deleted if (row := known.find(name)) is not None]
        with self._state:
            rows = {name: self._ids.row_for(name) for name in batch.named}
            for name, row in rows.items():
                self._events.add_item(name, row)
        upserts = [(rows[name], item) for name, (_, item) in batch.upserts.items()]
        self._write_spaces(upserts, vectors, deleted)
        hashes = {row: self._hash(item.picture) for row, item in upserts}
        contents = [(row, replace(item, picture=None, vectors=None)) for row, item in upserts]
        segments = self.current.columns.segments
        if contents:
            newer = Segment.of(self.encoder.table, *zip(*contents))
            segments = with_items(segments, newer)
        with self._state:
            for _ in entries:
                self._items.popleft()
            snapshot = self._with_items(self.current, contents, hashes, deleted, segments)
            if upserts or deleted:
                snapshot = replace(snapshot, items_watermark=entries[-1].sequence)
            ids = snapshot.catalogue.ids
            histories = replace(snapshot.histories, size=ids.size, absent=ids.absent)
            self.current = self._with(snapshot, histories=histories)
            self.refused.extend(batch.refused)
            self.refusals += len(batch.refused)

    def _with(self, snapshot: Snapshot, histories: LiveHistories | None = None) -> Snapshot:
        """The snapshot with these histories, its watermark and a retriever over its parts."""
        histories = snapshot.histories if histories is None else histories
        watermark = self._items[0].sequence - 1 if self._items else self.read_to
        retriever = replace(
            snapshot.retriever,
            catalogue=snapshot.catalogue,
            log=histories,
            item_columns=snapshot.columns,
            spaces=snapshot.spaces,
            history_vectors=self._history_vectors(snapshot.spaces),
            watermark=watermark,
            popularity=LivePopularity(self._recorded, histories.length, histories.size),
        )
        return replace(snapshot, watermark=watermark, histories=histories, retriever=retriever)

    def _compacted(self) -> None:
        """Let the snapshot have the newest bases of the spaces."""
        with self._applying, self._state:
            self.current = self._with(replace(self.current, spaces=self.spaces.current.spaces))

    def _first(self) -> Snapshot:
        """The snapshot without a change."""
        parts, spaces = self._parts, self.spaces.current.spaces
        base = parts.catalogue
        ids = LiveIds(self._ids, len(base), FrozenBitMap(), len(base))
        catalogue = LiveCatalogue(ids, self.encoder.table, self._versions, 0)
        histories = LiveHistories(parts.log, self._events, 0, parts.log.n_users, len(base))
        codes: dict[str, ValueCodes] = {}
        columns = LiveColumns(FilterColumns.of(base), (), len(base), ids.absent, codes)
        retriever = replace(
            parts.retriever,
            catalogue=catalogue,
            log=histories,
            item_columns=columns,
            spaces=spaces,
            history_vectors=self._history_vectors(spaces),
            watermark=parts.watermark,
            popularity=LivePopularity(self._recorded, 0, len(base)),
        )
        return Snapshot(
            parts.watermark, parts.watermark, retriever, catalogue, histories, columns, spaces
        )

    def _encoded(self, entries: Sequence[Entry]) -> tuple[Batch, Mapping[str, MaskedVectors]]:
        """The outcome of the entries, and vectors of its upserts in every space."""
        refused: dict[int, RecsysError] = {}
        while True:
            batch = Batch.of(
                entries,
                known=self.current.catalogue.ids,
                check=self.encoder.check,
                refused=refused,
                kept=frozenset() if self.encoder.is_open else frozenset({TWO_TOWER}),
            )
            if not batch.upserts:
                return batch, {}
            sequences, items = zip(*batch.upserts.values())
            found = [self._ids.find(item.item_id) for item in items]
            rows = np.array([len(self._ids) if row is None else row for row in found], np.int32)
            encoded = self.encoder.encode(items, rows, self._vectors_so_far(rows))
            if not encoded.faults:
                return batch, encoded.vectors
            refused |= {sequences[at]: error for at, error in encoded.faults.items()}

    def _vectors_so_far(self, rows: Rows) -> MaskedVectors | None:
        """Vectors of rows in the towers' space."""
        space = self.current.spaces.get(TWO_TOWER)
        if space is None:
            return None
        mask = rows < len(space)
        mask[mask] = space.mask[rows[mask]]
        vectors = np.zeros((len(rows), space.dimension), np.float32)
        vectors[mask] = space.vectors[rows[mask]]
        return MaskedVectors(vectors, mask)

    def _write_spaces(
        self, upserts: Upserts, vectors: Mapping[str, MaskedVectors], deleted: Sequence[int]
    ) -> None:
        if upserts:
            rows, size = np.array([row for row, _ in upserts], np.int32), self.spaces.current.items
            # Items that were upserted and deleted again have a row between those of the others.
            missing = np.setdiff1d(np.arange(size, len(self._ids), dtype=np.int32), rows)
            padded = {name: _padded(each, len(missing)) for name, each in vectors.items()}
            self.spaces.upsert(np.concatenate([rows, missing]), padded)
        if deleted:
            self.spaces.delete(np.array(deleted, np.int32))

    def _with_items(
        self,
        before: Snapshot,
        upserts: Upserts,
        hashes: Mapping[int, int | None],
        deleted: Sequence[int],
        segments: tuple[Segment, ...],
    ) -> Snapshot:
        """A snapshot with the items and spaces after a batch."""
        rows_before, self._rows = self._rows, len(self._ids)
        if not upserts and not deleted and rows_before == self._rows:
            return before
        ids = before.catalogue.ids
        count = ids.count - len(deleted)
        count += sum(ids.find(item.item_id) is None for _, item in upserts)
        self._absent |= BitMap(range(rows_before, self._rows)) | BitMap(deleted)
        self._absent -= BitMap([row for row, _ in upserts])
        for row, item in upserts:
            self._versions.append(row, item, hashes[row])
        if self._versions.replaced >= max(MOST_REPLACED, len(self._versions) // 2):
            self._versions = self._versions.without_replaced()  # older snapshots keep the others
        spaces, absent = self.spaces.current, FrozenBitMap(self._absent)
        after = LiveIds(self._ids, spaces.items, absent, count)
        columns = before.columns
        if upserts or deleted:
            columns = columns.after(segments, spaces.items, absent)
        versions = self._versions
        catalogue = replace(before.catalogue, ids=after, versions=versions, length=len(versions))
        return replace(before, catalogue=catalogue, columns=columns, spaces=spaces.spaces)

    def _hash(self, picture: bytes | None) -> int | None:
        make = self._parts.hash_picture
        return None if picture is None or make is None else make(picture)

    def _record_event(self, sequence: int, change: InteractionRecorded | UserDeleted) -> int:
        """Add an event, and return by how much the number of known users grows."""
        known, events = self._is_known(change.user_id), self._events
        if isinstance(change, UserDeleted):
            logged = self._parts.log.find(change.user_id)
            events.delete_user(change.user_id, sequence=sequence, logged=logged)
            return -known
        row = self._ids.find(change.item_id)
        events.interact(change.user_id, change.item_id, row, time=change.time, sequence=sequence)
        return not known

    def _is_known(self, user_id: str) -> bool:
        state = self._events.state(user_id)
        return user_id in self._parts.log.users if state is None else state

    def _history_vectors(self, spaces: Mapping[str, LiveSpace]) -> Vectors | None:
        """Vectors that the query tower reads: those of its space in float32.

        A space can store its first base in fewer bits than the towers.
        """
        if TWO_TOWER not in spaces:
            return None
        live = spaces[TWO_TOWER].live_index.live_vectors
        first = self._parts.retriever.spaces[TWO_TOWER].index.vectors
        towers = self.encoder.towers
        if live.base is first and isinstance(first, StoredVectors) and towers is not None:
            return cast(Vectors, replace(live, base=towers.item_vectors))
        return cast(Vectors, live)


def _padded(given: MaskedVectors, more: int) -> MaskedVectors:
    """The vectors, and rows without one after them."""
    if not more:
        return given
    zeros = np.zeros((more, given.dimension), np.float32)
    mask = np.concatenate([given.mask, np.zeros(more, np.bool_)])
    return MaskedVectors(np.concatenate([given.vectors, zeros]), mask)
