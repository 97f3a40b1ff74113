"""Faults of the store below a running service: writes are refused clearly, reads continue.

Two engines follow one store, as those of two workers do.
"""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from recsys.errors import StoreError
from recsys.live import LiveEngine
from recsys.store import InteractionRecorded, Store, open_store
from recsys.store.databases import sqlite
from recsys_client import Interaction, Item, RecsysClient
from recsys_server.processes.checking import find_faults
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from recsys_server.settings import load_settings
from tests.live.world import made_parts
from tests.server.service_world import WAIT, served


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def workers(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[RecsysClient]]:
    """Clients of two services over the same store."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with ExitStack() as stack:
        clients = []
        for _ in range(2):
            store = stack.enter_context(open_store(path))
            clients.append(stack.enter_context(_serving(store)))
        yield clients


@contextmanager
def _serving(store: Store) -> Iterator[RecsysClient]:
    """A client of a service over a store."""
    with LiveEngine(made_parts(), store) as engine:
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
        with (
            served(Rollout(Deployment(loaded)), threads=1) as running,
            RecsysClient(running.address, timeout=WAIT, retries=0) as client,
        ):
            yield client


@contextmanager
def _full_disk(path: Path) -> Iterator[None]:
    """No file of this process can grow, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.with_name(f"{path.name}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def _moved(path: Path) -> Iterator[None]:
    """The file is elsewhere, as with a disk that is not mounted."""
    os.rename(path, path.with_name("elsewhere"))
    try:
        yield
    finally:
        os.rename(path.with_name("elsewhere"), path)


FAULTS = {"full disk": _full_disk, "locked": _locked, "moved": _moved}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_writes_are_refused_and_reads_continue(
    path: Path, workers: list[RecsysClient], fault: Callable[[Path], object]
) -> None:
    first, second = workers
    first.record_interactions([Interaction("new", "i1", 5)])
    first.upsert_items([Item("n1", "New", "3")])
    before = first.retrieve(user_id="new", k=3).ids
    large = Item("n2", "x" * 900, "3 " * 30_000)
    with fault(path):  # type: ignore[attr-defined]
        for write in (
            lambda: first.record_interactions([Interaction("new", "i4", 6, terms="x" * 900)] * 100),
            lambda: first.upsert_items([large]),
            lambda: second.delete_items(["n1"]),
            lambda: second.delete_user("new"),
            lambda: second.stream_interactions([[Interaction("new", "i5", 7)]] * 3),
        ):
            with pytest.raises(StoreError, match="store.db"):
                write()
        for client in workers:
            assert client.retrieve(user_id="new", k=3).ids == before
            assert client.get_items(["n1"]).items and client.get_history("new").interactions
    assert first.record_interactions([Interaction("new", "i4", 6)]).watermark == 3
    assert second.retrieve(user_id="new", k=3).ids == first.retrieve(user_id="new", k=3).ids
    assert [each.item_id for each in second.get_history("new").interactions] == ["i1", "i4"]


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """A folder and its files that no user can write to; the process drops the rights of root."""
    (folder / "store.db").chmod(0o444)
    folder.chmod(0o555)
    is_root = os.getuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_a_service_on_a_read_only_disk_answers_reads() -> None:
    with TemporaryDirectory() as name:  # every user can enter its parents
        path = Path(name) / "store.db"
        with open_store(path) as store:
            store.append([InteractionRecorded("new", "i1", 5)])
        with _read_only(path.parent), open_store(path) as store, _serving(store) as client:
            assert "i1" not in client.retrieve(user_id="new", k=8).ids
            for write in (
                lambda: client.record_interactions([Interaction("new", "i4", 6)]),
                lambda: client.delete_items(["i2"]),
                lambda: client.stream_interactions([[Interaction("new", "i5", 7)]]),
            ):
                with pytest.raises(StoreError, match="is read-only; make both writable"):
                    write()
            history = client.get_history("new")
            assert [each.item_id for each in history.interactions] == ["i1"]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_store_is_refused_at_the_start_and_left_alone(path: Path, share: float) -> None:
    with open_store(path) as store:
        store.append([InteractionRecorded("new", f"i{row % 9}", row) for row in range(300)])
    whole = path.read_bytes()
    left = whole[: int(share * len(whole))]
    path.write_bytes(left)
    refused = pytest.raises(StoreError, match="(cut off|damaged).* restore a backup")
    with refused, open_store(path) as store:
        LiveEngine(made_parts(), store)
    assert path.read_bytes() == left
    path.write_bytes(whole)  # the backup
    with open_store(path) as store:
        assert len(store.history("new")) == 300


def test_a_truncated_store_is_found_before_the_start(path: Path) -> None:
    open_store(path).close()
    os.truncate(path, path.stat().st_size // 2)
    settings = load_settings({"bundles": path.parent / "none", "port": 0, "store": str(path)})
    assert any("restore a backup" in each.message for each in find_faults(settings))


def test_a_clock_that_goes_back_loses_nothing(
    workers: list[RecsysClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = workers
    moments = (1_800_000_000.0, 1_700_000_000.0, 0.0, -5.0)
    for number, (client, now) in enumerate(zip((first, second) * 2, moments), start=1):
        clock = SimpleNamespace(time=lambda now=now: now)
        monkeypatch.setattr("recsys_server.services.interactions.time", clock)
        receipt = client.record_interactions([Interaction("new", f"i{number}")])
        assert receipt.watermark == number
        for reader in workers:
            history = reader.get_history("new")
            assert {each.item_id for each in history.interactions} == {
                f"i{recorded}" for recorded in range(1, number + 1)
            }
            assert history.watermark == number
            assert f"i{number}" not in reader.retrieve(user_id="new", k=8).ids
