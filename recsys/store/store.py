"""The store: a durable log of changes, and what it says about users and items now."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from recsys.errors import InvalidRequestError, StoreError
from recsys.store.appending import append_group
from recsys.store.changes import Change, Entry, InteractionRecorded, ItemUpserted, Receipt
from recsys.store.databases import Database, open_database
from recsys.store.databases.schema import ENTRIES, ITEMS, STATE
from recsys.store.group_commit import GroupCommit, PendingWrite
from recsys.store.imported_ranges import ImportedRanges
from recsys.store.impressions.impression import Impression
from recsys.store.impressions.packing import to_row as pack
from recsys.store.impressions.recording import insert_impressions
from recsys.store.rows import INTERACTION, digest, to_change, to_entry, to_row

MAX_CHANGES = 100_000
"""Largest number of changes of one write, and of one answer."""
MAX_KEY = 512
Write = tuple[Iterable[Change], str | None]


class Store:
    """An append-only log of changes in a database; :func:`open_store` opens one.

    Any number of threads and processes may read and write at once. Every method raises
    :class:`StoreError` where the database cannot be used; a refused write changed nothing.

    Example:
        >>> import tempfile
        >>> with open_store(Path(tempfile.mkdtemp()) / "store.db") as store:
        ...     receipt = store.append([InteractionRecorded("ann", "lamp", 10)], key="request-1")
        ...     again = store.append([InteractionRecorded("ann", "lamp", 10)], key="request-1")
        ...     [each.item_id for each in store.history("ann")], receipt.watermark, again.repeated
        (['lamp'], 1, True)
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._group = GroupCommit(self._commit)
        self._following = threading.Lock()
        self._seen: int | None = None
        self._excluded = ""
        self._is_closed = False
        self._accepts_writes = False
        """Whether the last write succeeded; before the first one this is unknown."""

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def database(self) -> Database:
        """The database, for the modules of this package."""
        if self._is_closed:
            raise StoreError(f"{self._database.where}: the store is closed; open it again")
        return self._database

    @property
    def where(self) -> str:
        """Path or URL, without a password."""
        return self._database.where

    @property
    def backend(self) -> str:
        """Kind of the database: "sqlite" or "postgresql"."""
        return self._database.backend

    def append(self, changes: Iterable[Change], *, key: str | None = None) -> Receipt:
        """Append changes in one transaction, which is on disk when this returns.

        A :class:`UserDeleted` removes the earlier entries of the user from the log.

        Args:
            changes: Changes, in order; without any, nothing is written.
            key: Idempotency key, at most 512 characters, remembered for a day. A write whose key
                was used before writes nothing and has the first receipt.

        Raises:
            StoreError: The changes were not acknowledged; repeat them with the same key.
            InvalidRequestError: The key was used for other changes, or is too long, or there are
                more than 100,000 changes.
        """
        pending = _pending(changes, key)
        if not pending.rows:
            return Receipt(self.watermark, repeated=False)
        return self._group.write(pending)

    def append_each(self, writes: Sequence[Write]) -> list[Receipt | Exception]:
        """Append several writes, as :meth:`append` one after the other, with few transactions.

        Args:
            writes: Changes, at least one per write, and the idempotency key or None.

        Returns:
            For each write the receipt, or the error that :meth:`append` raises for it alone.

        Raises:
            InvalidRequestError: A key or the number of changes is out of range; nothing was
                written.
        """
        pending = [_pending(changes, key) for changes, key in writes]
        if not all(each.rows for each in pending):
            raise InvalidRequestError("a write without changes cannot be appended with others")
        return self._group.write_each(pending) if pending else []

    def record_impressions(self, impressions: Sequence[Impression]) -> int:
        """Write what feeds have shown, in one transaction, which is on disk when this returns.

        One that is there already is not written again, and none of a user who was deleted after
        the state that the feed was made from.

        Returns:
            Number of impressions left out because of a deletion.
        """
        rows = [pack(impression) for impression in impressions]
        with self.database.writing() as connection:
            return insert_impressions(connection, rows)

    @property
    def watermark(self) -> int:
        """Sequence number of the last change, 0 for none."""
        with self.database.reading() as connection:
            return int(connection.execute(_WATERMARK).scalar_one())

    def changes(self, after: int, *, limit: int = 1000) -> list[Entry]:
        """The first ``limit`` entries with a sequence number above ``after``, in order.

        Numbers of entries that were deleted or :meth:`excluded <exclude_import>` are left out. No
        entry with a lower number than those returned is added later.
        """
        with self._following:
            number = self.database.change_number()
            rows: list[sa.Row[Any]] = []
            with self.database.reading() as connection:
                excluded = ImportedRanges.of(connection, self._excluded)
                is_last = False
                while len(rows) < limit and not is_last:
                    after = excluded.skip(after)
                    found = connection.execute(_CHANGES, {"after": after, "limit": limit}).all()
                    rows += [row for row in found if row.sequence not in excluded]
                    is_last = len(found) < limit
                    after = after if is_last else found[-1].sequence
            self._seen = number if is_last and len(rows) <= limit else None
        return [to_entry(row) for row in rows[:limit]]

    def exclude_import(self, fingerprint: str) -> None:
        """Leave the changes of one import out of :meth:`changes`.

        A bundle made from an imported log includes these changes already.

        Args:
            fingerprint: Fingerprint of the imported data.
        """
        with self._following:
            self._excluded, self._seen = fingerprint, None

    def advanced(self) -> bool:
        """Whether entries may exist that the last :meth:`changes` did not return.

        A few microseconds with SQLite, one round trip with PostgreSQL. False means that every write
        that was acknowledged before this call, by any process, was returned.
        """
        number = self.database.change_number()
        return self._seen is None or number != self._seen

    def wait(self, after: int, timeout: float) -> bool:
        """Wait for a change with a sequence number above ``after``.

        Args:
            after: Sequence number.
            timeout: Longest time in seconds.

        Returns:
            Whether there is one.
        """
        deadline = time.monotonic() + timeout
        while True:
            number = self.database.change_number()
            if self.watermark > after:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.database.wait(number, left)

    def history(self, user_id: str, limit: int = 1000) -> list[InteractionRecorded]:
        """The last ``limit`` interactions of a user by their time, the newest last."""
        with self.database.reading() as connection:
            rows = connection.execute(_HISTORY, {"user": user_id, "limit": limit}).all()
        found = [to_change(row) for row in reversed(rows)]
        return [each for each in found if isinstance(each, InteractionRecorded)]

    def item(self, item_id: str) -> ItemUpserted | None:
        """The current content of an item, or None where the store has none."""
        with self.database.reading() as connection:
            row = connection.execute(_ITEM, {"item": item_id}).one_or_none()
        return None if row is None else _item(to_change(row))

    def items(self, after_id: str = "", limit: int = 100) -> list[ItemUpserted]:
        """The current items with ids above ``after_id``, ordered by id."""
        with self.database.reading() as connection:
            rows = connection.execute(_ITEMS, {"after": after_id, "limit": limit}).all()
        return [_item(to_change(row)) for row in rows]

    def check_writable(self) -> None:
        """Check that a write would succeed now.

        It reads after a write that succeeded, and otherwise commits a transaction that changes
        nothing, as where the disk was full.

        Raises:
            StoreError: A write would be refused.
        """
        if self._accepts_writes:
            self.database.change_number()
            _ = self.watermark
            return
        with self.database.writing() as connection:
            connection.execute(_REWRITE)
        self._accepts_writes = True

    def size(self) -> int:
        """Number of bytes on disk."""
        return self.database.size()

    def close(self) -> None:
        """Close all connections; nothing that was acknowledged is lost without it."""
        if not self._is_closed:
            self._is_closed = True
            self._database.close()

    def _commit(self, group: list[PendingWrite]) -> list[Receipt | Exception]:
        self._accepts_writes = False
        with self.database.writing() as connection:
            results, erases = append_group(connection, group)
            if erases:
                self._database.erased()
        self._accepts_writes = True
        return results


def open_store(url_or_path: str | Path) -> Store:
    """Open a store, and make it where there is none.

    Args:
        url_or_path: A path, ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/DATABASE``.

    Raises:
        StoreError: The database cannot be opened, belongs to another program, or was made by a
            newer version of this library.
        ConfigError: The URL is of another kind.
    """
    return Store(open_database(url_or_path))


def check_key(key: str | None) -> None:
    """Check an idempotency key; None is no key.

    Raises:
        InvalidRequestError: It is too long, or "".
    """
    if key is not None and not 0 < len(key) <= MAX_KEY:
        raise InvalidRequestError(
            f"an idempotency key has 1 to {MAX_KEY} characters; got {len(key)}",
            field="idempotency_key",
        )


def _pending(changes: Iterable[Change], key: str | None) -> PendingWrite:
    """A write, checked."""
    check_key(key)
    rows = [to_row(change) for change in changes]
    if len(rows) > MAX_CHANGES:
        raise InvalidRequestError(f"a write has at most {MAX_CHANGES:,} changes; got {len(rows):,}")
    if key is None:
        return PendingWrite(rows, None, b"")
    hashed = hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).digest()
    return PendingWrite(rows, hashed, digest(rows) if rows else b"")


def _item(change: Change) -> ItemUpserted:
    assert isinstance(change, ItemUpserted)
    return change


_WATERMARK = sa.select(STATE.c.watermark)
_REWRITE = STATE.update().values(watermark=STATE.c.watermark)
_CHANGES = (
    sa.select(ENTRIES)
    .where(ENTRIES.c.sequence > sa.bindparam("after"))
    .order_by(ENTRIES.c.sequence)
    .limit(sa.bindparam("limit"))
)
_HISTORY = (
    sa.select(ENTRIES)
    .where(ENTRIES.c.user_id == sa.bindparam("user"), ENTRIES.c.kind == INTERACTION)
    .order_by(ENTRIES.c.time.desc(), ENTRIES.c.sequence.desc())
    .limit(sa.bindparam("limit"))
)
_CURRENT = (
    sa.select(ENTRIES)
    .join(ITEMS, ITEMS.c.sequence == ENTRIES.c.sequence)
    .where(ITEMS.c.deleted == sa.false())
)
_ITEM = _CURRENT.where(ITEMS.c.item_id == sa.bindparam("item"))
_ITEMS = (
    _CURRENT.where(ITEMS.c.item_id > sa.bindparam("after"))
    .order_by(ITEMS.c.item_id)
    .limit(sa.bindparam("limit"))
)
