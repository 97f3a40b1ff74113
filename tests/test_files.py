"""Files: whole or not at all, whatever happens while they are written; one holder per lock."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys import files
from recsys.config import read_toml
from recsys.errors import ConfigError, DataError
from recsys.files import (
    LOCK,
    atomic_file,
    atomic_folder,
    load_arrays,
    lock,
    read_json,
    replace_folder,
    save_arrays,
    sha256_bytes,
    sha256_file,
    sha256_json,
    write_json,
    write_text,
    write_toml,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(folder: Path, text: str) -> None:
    with atomic_folder(folder) as part:
        (part / "inner").mkdir()
        for name in ("a", "inner/b"):
            (part / name).write_text(text)


def contents(folder: Path) -> set[str]:
    return {path.read_text() for path in folder.rglob("*") if path.is_file()}


@given(value=JSON.filter(lambda value: "\ud800" not in repr(value)))
@settings(max_examples=30)
def test_json_round_trips(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "deep" / "value.json"
    write_json(path, value)
    assert read_json(path) == value
    assert sha256_json(read_json(path)) == sha256_json(value)
    assert names(path.parent) == ["value.json"]


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, object()])
def test_a_value_that_cannot_be_json_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(DataError, match=r"a\.json cannot be written as JSON"):
        write_json(tmp_path / "a.json", value)
    assert names(tmp_path) == []


def test_damaged_json_is_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text('{"a": ')
    (tmp_path / "latin.json").write_bytes(b'"\xe9"')
    (tmp_path / "number.json").write_text("[NaN]")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    for name in names(tmp_path):
        with pytest.raises(ValueError):
            read_json(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "missing.json")


def test_toml_round_trips_with_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    write_toml(path, {"train": {"epochs": 3}}, comment="Chosen by\n\na study.")
    assert path.read_text().startswith("# Chosen by\n#\n# a study.\n\n[train]")
    assert read_toml(path) == {"train": {"epochs": 3}}
    with pytest.raises(DataError, match=r"a\.toml cannot be written as TOML"):
        write_toml(path, {"epochs": None})


def test_arrays_round_trip_without_pickle(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    arrays = {"ones": np.ones((2, 3), np.float32), "text": np.array("lamp"), "none": np.zeros(0)}
    save_arrays(path, arrays)
    for loaded in (load_arrays(path), load_arrays(path.read_bytes())):
        assert loaded.keys() == arrays.keys()
        assert all(np.array_equal(loaded[name], array) for name, array in arrays.items())
    with pytest.raises(ValueError):
        save_arrays(path, {"objects": np.array([{}])})
    assert load_arrays(path).keys() == arrays.keys()


def test_every_damage_of_arrays_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_arrays(path, {"ones": np.ones(20)})
    whole = path.read_bytes()
    for cut in range(0, len(whole), 7):
        with pytest.raises(ValueError, match="no whole .npz file|Cannot load|pickle"):
            load_arrays(whole[:cut])
    np.savez(path, objects=np.array([{}]))
    with pytest.raises(ValueError):
        load_arrays(path)


def test_digests_agree(tmp_path: Path) -> None:
    content = os.urandom((1 << 20) + 1)
    (tmp_path / "a").write_bytes(content)
    assert sha256_file(tmp_path / "a") == sha256_bytes(content)
    assert sha256_bytes(content) == sha256_bytes(content[:9], memoryview(content)[9:])


def test_an_exception_leaves_the_old_content(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "old")
    fill(tmp_path / "folder", "old")
    with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "a") as part:
        part.write_text("new")
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "folder") as part:
        (part / "a").write_text("new")
        raise ZeroDivisionError
    assert names(tmp_path) == ["a", "folder"]
    assert (tmp_path / "a").read_text() == "old"
    assert contents(tmp_path / "folder") == {"old"}


def test_a_full_disk_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path / "a", "old")
    fill(tmp_path / "folder", "old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for write in (
        lambda: write_text(tmp_path / "a", "new"),
        lambda: save_arrays(tmp_path / "a", {"ones": np.ones(3)}),
        lambda: fill(tmp_path / "folder", "new"),
    ):
        with pytest.raises(OSError, match="No space left"):
            write()
    assert names(tmp_path) == ["a", "folder"]
    assert (tmp_path / "a").read_text() == "old"
    assert contents(tmp_path / "folder") == {"old"}


def test_a_folder_replaces_a_folder_and_no_file(tmp_path: Path) -> None:
    for text in ("first", "second"):
        fill(tmp_path / "folder", text)
        assert contents(tmp_path / "folder") == {text}
    (tmp_path / "file").write_text("kept")
    with pytest.raises(NotADirectoryError):
        fill(tmp_path / "file", "new")
    assert names(tmp_path) == ["file", "folder"]


def test_a_folder_is_replaced_where_names_cannot_be_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_exchange", lambda *_: False)
    for text in ("first", "second"):
        fill(tmp_path / "folder", text)
        assert contents(tmp_path / "folder") == {text}
    assert names(tmp_path) == ["folder"]


def test_an_existing_folder_may_be_kept(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with atomic_folder(tmp_path / "folder", existing="keep") as part:
            (part / "a").write_text(text)
    assert contents(tmp_path / "folder") == {"first"}
    assert names(tmp_path) == ["folder"]


def test_a_folder_may_come_from_elsewhere(tmp_path: Path) -> None:
    fill(tmp_path / "work" / "a", "new")
    fill(tmp_path / "a", "old")
    replace_folder(tmp_path / "work" / "a", tmp_path / "a")
    assert contents(tmp_path / "a") == {"new"}
    assert names(tmp_path / "work") == []


def test_abandoned_temporary_files_are_removed_after_a_day(tmp_path: Path) -> None:
    for name in (".part-old-file", ".part-young"):
        (tmp_path / name).write_text("part")
    (tmp_path / ".part-old-folder").mkdir()
    (tmp_path / ".part-old-folder" / "a").write_text("part")
    for name in (".part-old-file", ".part-old-folder"):
        os.utime(tmp_path / name, (time.time() - 25 * 3600,) * 2)
    write_text(tmp_path / "a", "new")
    assert names(tmp_path) == [".part-young", "a"]


WRITER = """
import sys
from pathlib import Path
from recsys.files import atomic_folder, write_text
root = Path(sys.argv[1])
print("ready", flush=True)
for round in range(1_000_000):
    text = f"{sys.argv[2]}-{round}" * 2000
    write_text(root / "file", text)
    with atomic_folder(root / "folder") as part:
        for name in ("a", "b", "c"):
            (part / name).write_text(text)
"""


def test_readers_see_whole_content_while_writers_compete_and_die(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in "xy"
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        while not (tmp_path / "folder").exists():
            time.sleep(0.01)
        seen, reads = set(), 0
        while len(seen) < 10 or reads < 1_000:
            reads += 1
            seen.add(_checked((tmp_path / "file").read_text()))
            # The name of the folder is never free in between.
            descriptor = os.open(tmp_path / "folder", os.O_RDONLY)
            os.close(descriptor)
        for writer in writers:
            assert writer.poll() is None
            writer.send_signal(signal.SIGKILL)
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    _checked((tmp_path / "file").read_text())
    assert names(tmp_path / "folder") == ["a", "b", "c"]
    assert len(contents(tmp_path / "folder")) == 1


def _checked(text: str) -> str:
    unit = text[: len(text) // 2000]
    assert unit and text == unit * 2000
    return unit


HOLDER = """
import sys
from pathlib import Path
from recsys.files import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_is_refused_until_its_holder_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "run" / LOCK
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        for _ in range(2):
            expected = rf"another run \(process {holder.pid}\) is at work in {path.parent}"
            with pytest.raises(ConfigError, match=expected), lock(path, wait=False):
                pass
        holder.kill()
    for _ in range(2):
        with lock(path, wait=False):
            pass


def test_threads_wait_for_each_other(tmp_path: Path) -> None:
    inside: list[int] = []
    most = []

    def work() -> None:
        for _ in range(5):
            with lock(tmp_path / LOCK):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 20 and max(most) == 1
