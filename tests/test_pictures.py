"""Picture files by name, with the same behaviour for a folder and an archive."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import pytest

from recsys import pictures
from recsys.errors import DataError
from recsys.pictures import PictureStore

FILES = {"a.png": b"A" * 1000, "deep/b.jpg": b"B", "empty.png": b""}


@pytest.fixture(params=["folder", "zip"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> PictureStore:
    if request.param == "folder":
        for name, content in FILES.items():
            (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "p" / name).write_bytes(content)
        (tmp_path / "secret").write_text("outside")
        return PictureStore.open(tmp_path / "p")
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return PictureStore.open(tmp_path / "p.zip")


def test_a_file_is_read_unchanged(store: PictureStore) -> None:
    for name, content in FILES.items():
        assert store.read(name) == content
        assert name in store


@pytest.mark.parametrize("name", ["b.jpg", "A.png", "deep"])
def test_a_missing_file_is_refused(store: PictureStore, name: str) -> None:
    assert store.read(name) is None
    assert name not in store


def test_a_large_file_is_refused(store: PictureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 999)
    with pytest.raises(DataError, match="picture 'a.png' has 1,000 bytes; at most 999 are read"):
        store.read("a.png")


def test_many_threads_read_the_same_store(store: PictureStore) -> None:
    wrong: list[str] = []

    def read() -> None:
        for _ in range(50):
            wrong.extend(name for name, content in FILES.items() if store.read(name) != content)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_name_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "p" / "link").symlink_to(tmp_path / "secret")
    store = PictureStore.open(tmp_path / "p")
    for name in ("../secret", str(tmp_path / "secret"), "x/../../secret", "link"):
        with pytest.raises(DataError, match="leads out of"):
            store.read(name)
        with pytest.raises(DataError, match="leads out of"):
            assert name in store
    with pytest.raises(DataError, match="cannot be a file's"):
        store.read("a\x00b")


@pytest.mark.parametrize("position", [0, 40, 60])
def test_a_damaged_archive(tmp_path: Path, position: int) -> None:
    file = tmp_path / "p.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(range(256)) * 4)
    content = bytearray(file.read_bytes())
    content[position : position + 8] = b"\xff" * 8
    file.write_bytes(bytes(content))
    store = PictureStore.open(file)
    with pytest.raises(DataError, match="'a.png' is damaged"):
        store.read("a.png")


def test_other_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder or a zip archive.*is not there"):
        PictureStore.open(tmp_path / "nothing")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(DataError, match="is neither a folder nor a zip archive"):
        PictureStore.open(tmp_path / "a.txt")
