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
from types import SimpleNamespace

import pytest

from recsys.errors import StoreError
from recsys.live import LiveEngine
from recsys.store import open_store
from recsys.store.databases import sqlite
from recsys_client import Interaction, Item, RecsysClient
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
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
            engine = stack.enter_context(LiveEngine(made_parts(), store))
            loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
            running = stack.enter_context(served(Rollout(Deployment(loaded)), threads=1))
            client = RecsysClient(running.address, timeout=WAIT, retries=0)
            clients.append(stack.enter_context(client))
        yield clients


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
