"""Picture files by name, with the same behaviour for a folder and an archive."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import pytest
from pytest import MonkeyPatch

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
    monkeypatch.setattr("recsys.pictures.store.MAX_BYTES", 999)
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


ODD = {
    "a\x00b": "cannot be a file's",
    "x" * 5_000: "cannot be a file's: File name too long",
    "|".join(f"lamp-{n}.jpg" for n in range(50)): "cannot be a file's: File name too long",
    "/elsewhere/p1.png": "is absolute and leads out of",
    "C:\\photos\\p1.png": "is absolute and leads out of",
    "https://shop.example/p1.png": "is a URL",
    "../a.png": "leads out of",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_has_a_reason_and_raises_nothing_else(tmp_path: Path, name: str) -> None:
    store = PictureStore.open(tmp_path)
    assert ODD[name] in (store.fault(name) or "")
    with pytest.raises(DataError, match=ODD[name]):
        store.read(name)
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("a.png", b"A")
    assert PictureStore.open(tmp_path / "p.zip").fault(name)


def test_an_unreadable_file_is_a_data_error(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"A")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match="'a.png' cannot be read: Permission denied"):
        PictureStore.open(tmp_path).read("a.png")


NFC, NFD = "caf\u00e9.png", "cafe\u0301.png"


def filled(path: Path, names: list[str]) -> PictureStore:
    """A store with one file per name, in a folder, or in an archive."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, name.encode())
    else:
        for name in names:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(name.encode())
    return PictureStore.open(path)


@pytest.mark.parametrize("container", ["photos", "photos.zip"])
@pytest.mark.parametrize(
    ("stored", "name"),
    [
        (["photos/a.png", "__MACOSX/photos/._a.png", ".DS_Store"], "a.png"),
        (["shop/deep/a.png", "shop/b.png"], "deep/a.png"),
        (["a.png", "deep/b.png"], "photos/a.png"),
        (["a.png", "deep/b.png"], "deep\\b.png"),
        (["a.png", "b.png"], "./a.png"),
        ([NFC, "b.png"], NFD),
        ([f"{NFD}/{NFD}", "b.png"], f"{NFC}/{NFC}"),
        ([f"photos/{NFD}"], NFC),
    ],
)
def test_other_spellings_are_found(
    tmp_path: Path, container: str, stored: list[str], name: str
) -> None:
    store = filled(tmp_path / container, stored)
    assert name in store and store.fault(name) is None
    assert (store.read(name) or b"").decode().endswith(("a.png", "b.png", NFC, NFD))


@pytest.mark.parametrize("container", ["photos", "photos.zip"])
def test_an_exact_name_comes_first_and_an_ambiguous_one_is_reported(
    tmp_path: Path, container: str
) -> None:
    both = ["\u1ee3.png", "o\u031b\u0323.png"]  # of the same letter
    store = filled(tmp_path / container, both)
    assert [store.read(name) for name in both] == [name.encode() for name in both]
    other = "\u01a1\u0323.png"
    assert "ambiguous: 2 files differ" in (store.fault(other) or "")
    with pytest.raises(DataError, match="ambiguous"):
        store.read(other)


def test_names_of_an_archive_made_by_macos_are_utf8(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    filled(path, [NFD])
    content = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags + 1] &= ~0x08  # the flag of UTF-8 names
    path.write_bytes(content)
    assert PictureStore.open(path).read(NFC) == NFD.encode()


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
