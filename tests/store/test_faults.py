"""Faults of the disk and of the file: writes are refused with the reason, reads continue."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa

from recsys.errors import ConfigError, StoreError
from recsys.store import (
    InteractionRecorded,
    ItemUpserted,
    Store,
    UserDeleted,
    compact,
    open_store,
    verify,
)
from recsys.store.databases import schema, sqlite

ANN = InteractionRecorded("ann", "lamp", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path) as store:
        store.append([ANN])
        yield store


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """No file of this process can grow beyond ``size`` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_writes_and_nothing_else(store: Store, path: Path) -> None:
    with _largest_file(_log(path).stat().st_size + 60_000):
        acknowledged = 0
        with pytest.raises(StoreError, match=r"store.db: nothing was written: the disk"):
            for number in range(100):
                store.append([InteractionRecorded("bob", f"{number}", number)], key=f"{number}")
                acknowledged += 1
        assert 0 < acknowledged < 100
        assert store.watermark == 1 + acknowledged
        assert len(store.history("bob")) == acknowledged
        picture = ItemUpserted("lamp", picture=bytes(100_000))
        with pytest.raises(StoreError, match="the disk"):
            store.append([picture])
    bob = InteractionRecorded("bob", f"{acknowledged}", acknowledged)
    assert not store.append([bob], key=f"{acknowledged}").repeated
    assert store.append([picture]).watermark == 3 + acknowledged
    assert verify(store).faults == ()


def test_a_locked_database_refuses_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with open_store(path) as store:
        store.append([ANN])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="held the database too long; find and end it"):
            store.append([ANN])
        assert store.history("ann") == [ANN]
        other.execute("ROLLBACK")
        other.close()
        assert store.append([ANN]).watermark == 2


def _remove(path: Path) -> None:
    path.unlink()


def _remove_log(path: Path) -> None:
    _log(path).unlink()


def _replace(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    os.replace(path.with_name("copy"), path)


@pytest.mark.parametrize("fault", [_remove, _remove_log, _replace])
def test_a_vanished_file_refuses_writes(
    store: Store, path: Path, fault: Callable[[Path], None]
) -> None:
    fault(path)
    with pytest.raises(StoreError, match="was removed or replaced while it was open"):
        store.append([ANN])
    assert store.history("ann") == [ANN]


def test_a_truncated_file_is_reported(store: Store, path: Path) -> None:
    store.append([ItemUpserted("rug", picture=bytes(50_000))])
    store.close()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreError, match="damaged; restore a backup"):
        open_store(path).changes(0)
    os.truncate(path, 0)
    with pytest.raises(StoreError, match="is empty, so that its store was cut off"):
        open_store(path)


def test_a_damaged_page_is_found(store: Store, path: Path) -> None:
    store.append([ItemUpserted(f"rug {number}", "x" * 500) for number in range(50)])
    store.close()
    with path.open("r+b") as file:
        for position in range(3 * 4096, path.stat().st_size, 4096):
            file.seek(position)
            file.write(b"\x07" * 64)
    with pytest.raises(StoreError, match="damaged"), open_store(path) as opened:
        opened.changes(0)


def test_a_read_only_folder_can_be_read() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        with open_store(folder / "store.db") as store:
            store.append([ANN])
        (folder / "store.db").chmod(0o444)
        folder.chmod(0o555)
        if os.getuid() == 0:
            os.seteuid(65534)
        try:
            with open_store(folder / "store.db") as store:
                assert store.history("ann") == [ANN]
                assert store.changes(0)[0].change == ANN and not store.advanced()
                with pytest.raises(StoreError, match="is read-only; make both writable"):
                    store.append([ANN])
                assert verify(store).faults == ()
            with pytest.raises(StoreError, match="cannot be opened"):
                open_store(folder / "new.db")
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_another_file_is_refused(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="no SQLite database"):
        open_store(path)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE items (name TEXT)")
    other.close()
    with pytest.raises(StoreError, match="a table 'items' of another program"):
        open_store(path)


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "://"])
def test_a_url_names_a_database(url: str) -> None:
    with pytest.raises(ConfigError, match="store"):
        open_store(url)


def test_a_newer_schema_is_refused_and_an_older_one_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(path).close()

    def add_notes(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE state ADD COLUMN notes TEXT")

    def fail(connection: sa.Connection) -> NoReturn:
        connection.exec_driver_sql("ALTER TABLE state ADD COLUMN more TEXT")
        raise sa.exc.OperationalError("ALTER", None, sqlite3.OperationalError("disk is full"))

    now = schema.MIGRATIONS
    with monkeypatch.context() as newer:
        newer.setattr(schema.migrate, "__defaults__", ((*now, add_notes, fail),))
        with pytest.raises(StoreError, match="disk is full"):
            open_store(path)
        with sqlite3.connect(path) as raw:  # the migrations are one transaction
            assert raw.execute("SELECT max(version) FROM recsys_schema").fetchone() == (2,)
        raw.close()
        newer.setattr(schema.migrate, "__defaults__", ((*now, add_notes),))
        with open_store(path) as store:
            store.append([ANN])
            assert verify(store).schema_version == 3
    with pytest.raises(StoreError, match="schema version 3, which a newer recsys made"):
        open_store(path)


def test_a_store_without_impressions_gets_their_table(path: Path) -> None:
    with open_store(path) as store:
        store.append([ANN], key="first")
    with sqlite3.connect(path) as raw:  # as before the second migration
        raw.execute("DROP TABLE impressions")
        raw.execute("DROP INDEX entries_by_impression")
        raw.execute("ALTER TABLE entries DROP COLUMN impression_id")
        raw.execute("DELETE FROM recsys_schema WHERE version = 2")
    raw.close()
    with open_store(path) as store:
        assert store.append([ANN], key="first").repeated
        answer = replace(ANN, impression_id="r1")
        store.append([answer])
        assert store.history("ann") == [ANN, answer]
        assert verify(store).faults == () and verify(store).schema_version == 2


def test_several_processes_may_make_the_same_store(path: Path) -> None:
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(open_store(path))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, store in enumerate(opened):
        assert store.append([ANN]).watermark == number + 1
    for store in opened:
        store.close()
    assert len(opened) == 6
    assert sorted(each.name for each in path.parent.iterdir()) == ["store.db"]


def test_a_deleted_user_leaves_the_files(store: Store, path: Path) -> None:
    secret = ("secret-item", "secret-event", "secret-country", "secret words")
    for number in range(20):
        change = InteractionRecorded(
            *("bob", f"secret-item-{number}", number, "secret-event"),
            context={"country": "secret-country"},
            terms="secret words",
        )
        store.append([change], key=f"bob-{number}")
    assert any(b"secret" in file.read_bytes() for file in (path, _log(path)))
    store.append([UserDeleted("bob")])
    for file in (path, _log(path)):
        content = file.read_bytes()
        assert not [each for each in secret if each.encode() in content]
    assert verify(store).faults == ()


def test_values_of_a_deleted_user_leave_the_log_after_a_reader(store: Store, path: Path) -> None:
    store.append([InteractionRecorded("bob", "secret", 1)])
    with store.database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM state").all()
        store.append([UserDeleted("bob")])
    store.append([ANN])
    assert b"secret" not in path.read_bytes() + _log(path).read_bytes()


def test_compaction_returns_space_to_the_disk(store: Store, path: Path) -> None:
    for number in range(4):
        store.append([ItemUpserted("rug", f"{number}", picture=os.urandom(300_000))])
    before = store.size()
    done = compact(store)
    assert done.items == 3 and done.bytes_after == path.stat().st_size < before / 2
    assert store.items()[0].title == "3"
