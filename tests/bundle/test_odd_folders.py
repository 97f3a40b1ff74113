"""Folders of bundles as hands, copies and full disks leave them: a clear error, never a wait."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recsys.bundle import Parts, list_bundles, open_bundle, prune, publish, rollback, verify
from recsys.errors import BundleError, NotFoundError, RecsysError
from recsys.files import sha256_json
from recsys.pipeline.publishing import published_fault
from recsys.pipeline.stage import StageResult


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _binary(path: Path) -> None:
    path.write_bytes(b"\xff\x00" * 20)


ODD: list[Callable[[Path], None]] = [_pipe, _folder, _huge]


@pytest.mark.parametrize("make", ODD)
def test_an_odd_pointer_is_an_error_with_a_remedy_that_works(
    root: Path, make: Callable[[Path], None], parts: Parts
) -> None:
    (info,) = list_bundles(root)
    pointer = root / "CURRENT"
    pointer.unlink()
    make(pointer)
    for call in (open_bundle, verify, rollback, lambda root: prune(root, 1)):
        with pytest.raises(BundleError, match="CURRENT must be a small file .*; remove it, then"):
            call(root)
    assert [(each.version, each.current) for each in list_bundles(root)] == [(info.version, False)]
    shutil.rmtree(pointer) if pointer.is_dir() else pointer.unlink()
    assert rollback(root, info.version) == open_bundle(root).version


def test_publishing_again_restores_a_lost_pointer(root: Path, parts: Parts) -> None:
    (info,) = list_bundles(root)
    for damage in (lambda path: None, _pipe, _binary):
        (root / "CURRENT").unlink()
        damage(root / "CURRENT")
        assert publish(root, parts) == info.version == open_bundle(root).version


def test_a_run_does_not_reuse_a_damaged_bundle_or_a_lost_pointer(root: Path, others: Parts) -> None:
    first = open_bundle(root).version
    second = publish(root, others)
    job: Any = SimpleNamespace(bundles=root)

    def fault(version: str) -> str:
        return published_fault(job, StageResult("publish", 1, True, notes={"version": version}))

    assert fault(first) == fault(second) == ""
    (root / "CURRENT").rename(root / "aside")
    assert "no bundle is current" in fault(second)
    (root / "aside").rename(root / "CURRENT")
    file = root / "versions" / second / "spaces" / "text" / "vectors.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert "'spaces/text/vectors.npy' must have sha256" in fault(second)
    assert publish(root, others) not in (first, second)
    assert fault(first) == ""


@pytest.mark.parametrize("make", [*ODD, _binary])
def test_an_odd_manifest_is_an_error(root: Path, make: Callable[[Path], None]) -> None:
    (info,) = list_bundles(root)
    manifest = root / "versions" / info.version / "manifest.json"
    manifest.unlink()
    make(manifest)
    for call in (open_bundle, verify):
        with pytest.raises(BundleError, match=r"manifest\.json"):
            call(root)
    assert "manifest.json" in str(list_bundles(root)[0].fault)


@pytest.mark.parametrize(
    "change",
    [
        {"files": []},
        {"files": {"\ud800": {"size": 1, "sha256": "0"}}},
        {"files": {"a\0b": {"size": 1, "sha256": "0"}}},
        {"version": ["x"]},
        {"spaces": {"two_tower": "four"}},
        {"reference_queries": [{"request": {"k": [1]}, "ids": [], "scores": []}]},
        {"reference_queries": [{"request": {"k": 1, "fusion": {}}, "ids": [], "scores": []}]},
        {"reference_queries": [{"request": {"k": 1, "image": 5}, "ids": ["i"], "scores": [1]}]},
        {"config": json.loads("[" * 500 + "]" * 500)},
        {"spaces": {"mood": 3}},
        {"encoders": {"../text": "x"}},
    ],
)
def test_a_manifest_of_other_types_is_an_error(root: Path, change: dict[str, Any]) -> None:
    """The digest fits, so that the checks of the content are reached."""
    path = root / "versions" / list_bundles(root)[0].version / "manifest.json"
    content = json.loads(path.read_text()) | change
    del content["sha256"]
    path.write_text(json.dumps({**content, "sha256": sha256_json(content)}))
    with pytest.raises(BundleError):
        open_bundle(root)
    str(list_bundles(root)[0].fault).encode()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a": ' * 100_000, "1" * 5_000, '{"format_version": 1e999}', '"x"']
)
def test_a_manifest_that_json_cannot_hold_is_an_error(root: Path, text: str) -> None:
    (root / "versions" / list_bundles(root)[0].version / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        open_bundle(root)
    assert list_bundles(root)[0].fault


def test_a_file_that_cannot_be_read_is_an_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("recsys.bundle.manifest.sha256_file", refuse)
    with pytest.raises(BundleError, match="cannot read .*: Permission denied; check the permis"):
        open_bundle(root)


def test_a_file_named_as_the_folder_is_an_error(tmp_path: Path, parts: Parts) -> None:
    root = tmp_path / "bundles"
    root.write_text("")
    for call in (open_bundle, verify, rollback):
        with pytest.raises(NotFoundError, match="bundles is a file; expected a folder of bundles"):
            call(root)
    with pytest.raises(BundleError, match="cannot publish into .*bundles: "):
        publish(root, parts)
    assert list_bundles(root) == () and root.is_file()
    with pytest.raises(RecsysError):
        open_bundle(Path("a\0b"))
    with pytest.raises(RecsysError):
        open_bundle(Path("x" * 5_000))


def test_copied_and_damaged_bundles_are_listed_with_their_fault(root: Path, others: Parts) -> None:
    first = open_bundle(root).version
    second = publish(root, others)
    copy = "20990101T000000-00000000"
    shutil.copytree(root / "versions" / first, root / "versions" / copy)
    (root / "versions" / first / "data" / "log.parquet").unlink()
    faults = {info.version: info.fault for info in list_bundles(root)}
    assert faults[second] is None
    assert f"holds the bundle {first}; move it back" in str(faults[copy])
    assert "'data/log.parquet' is missing" in str(faults[first])
    for damaged in (copy, first):
        with pytest.raises(BundleError):
            rollback(root, damaged)
        assert open_bundle(root).version == second


@pytest.mark.parametrize("stamp", ["99991231T235959", "99999999T999999", "00000000T000000"])
def test_a_folder_of_any_name_does_not_stop_publishers(
    root: Path, others: Parts, stamp: str
) -> None:
    (root / "versions" / f"{stamp}-00000000").mkdir()
    assert open_bundle(root).version < publish(root, others) == open_bundle(root).version
    assert [info.fault for info in list_bundles(root)].count(None) == 2


class FullDisk:
    """A disk with room for ``room`` changes; each further one fails."""

    def __init__(self, patch: pytest.MonkeyPatch, room: int) -> None:
        self.room, self.failed = room, False
        patch.setattr(os, "fsync", self.limited(lambda _: None))
        calls = [(os, "replace"), (os, "rename"), (np, "save"), (Path, "mkdir")]
        calls += [(Path, "write_text"), (Path, "write_bytes")]
        for owner, name in calls:
            patch.setattr(owner, name, self.limited(getattr(owner, name)))

    def limited(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any, **options: Any) -> Any:
            if self.room <= 0:
                self.failed = True
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.room -= 1
            return call(*arguments, **options)

        return write


def test_a_full_disk_at_any_write_leaves_the_current_bundle_and_nothing_else(
    root: Path, others: Parts
) -> None:
    (before,) = list_bundles(root)
    room = 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            disk = FullDisk(patch, room)
            if room == 0:
                disk.room = 1  # The lock is not a part of the bundle.
            try:
                publish(root, others)
            except BundleError as error:
                message = error.message
            if not disk.failed:
                break
        assert "no space left on the disk; free some and repeat. The current" in message
        assert verify(root).version == before.version
        left = {path.name for path in root.iterdir()}
        assert left - {".lock", "ACTIVATIONS.json"} == {"CURRENT", "versions"}
        room += 1
    assert all(info.fault is None for info in list_bundles(root))
    assert room > 20
    assert open_bundle(root).version != before.version


@pytest.mark.parametrize("size", [64, 600, 3_000])
def test_files_that_are_cut_short_are_reported_in_words(
    root: Path, others: Parts, size: int
) -> None:
    """The system itself stops writing, also in libraries."""
    (before,) = list_bundles(root)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        with pytest.raises(BundleError) as caught:
            publish(root, others)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(root) in caught.value.message and "requested" not in caught.value.message
    assert open_bundle(root).version == before.version
    assert not (root / "staging").exists()
