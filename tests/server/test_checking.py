"""``recsys serve --check``: every fault of the settings at once, and nothing is made."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from recsys.errors import StoreError
from recsys.store import Store, open_store
from recsys_server.processes.checking import find_faults
from recsys_server.settings import load_settings


def faults(**options: object) -> list[str]:
    found = find_faults(load_settings({"bundles": Path("none"), "port": 0, **options}))
    return [f"{each.code}: {each.message}" for each in found]


def test_every_fault_is_stated(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = faults(
            metrics_port=taken.getsockname()[1],
            tokens=tmp_path / "missing.json",
            store=str(tmp_path / "no" / "store.db"),
        )
    assert len(found) == 4
    for fault, words in zip(found, ("metrics: cannot listen", "tokens", "bundles", "the store")):
        assert words in fault


def test_a_store_is_checked_and_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.db"
    assert len(faults(store=str(path))) == 1 and not path.exists()
    open_store(path).close()
    assert len(faults(store=str(path))) == 1

    def refuse(self: Store) -> None:
        raise StoreError("nothing was written: the disk is full")

    monkeypatch.setattr(Store, "check_writable", refuse)
    assert "the disk is full" in faults(store=str(path))[1]
