"""Every way a bundle can be damaged is noticed before it answers, and named."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import recsys.towers
from recsys.bundle import Bundle, Parts, list_bundles, open_bundle, verify
from recsys.bundle.manifest import Manifest, write_manifest
from recsys.errors import BundleError, DataError, NotFoundError
from recsys.retrieval import Request
from tests.bundle.made import TableTower


@pytest.fixture
def bundle(root: Path) -> Bundle:
    return open_bundle(root)


def refused(root: Path, match: str) -> None:
    for open_ in (open_bundle, verify):
        with pytest.raises(BundleError, match=match):
            open_(root)


@pytest.mark.parametrize(
    "name",
    [
        "towers/items.npy",
        "spaces/two_tower/vectors.npy",
        "spaces/text/index/index.json",
        "data/log.parquet",
    ],
)
def test_a_truncated_file_is_named_with_both_sizes(root: Path, bundle: Bundle, name: str) -> None:
    path = bundle.path / name
    size = path.stat().st_size
    os.truncate(path, size - 1)
    refused(root, f"'{name}' must have {size:,} bytes and has {size - 1:,}; publish again, or roll")


def test_every_file_is_guarded(root: Path, bundle: Bundle) -> None:
    for name, entry in bundle.manifest.files.items():
        path = bundle.path / name
        before = path.read_bytes()
        changed = bytearray(before)
        changed[len(changed) // 2] ^= 1
        path.write_bytes(changed)
        refused(root, f"'{name}' must have sha256 {entry.sha256} and has [0-9a-f]{{64}}")
        path.unlink()
        refused(root, f"'{name}' is missing")
        path.write_bytes(before)
    assert verify(root) == bundle.manifest


def test_a_file_that_nobody_published_is_refused(root: Path, bundle: Bundle) -> None:
    (bundle.path / "towers" / "extra.pkl").write_bytes(b"")
    refused(root, r"'towers/extra\.pkl' is not in the manifest; remove it")


def test_links_are_refused(root: Path, bundle: Bundle, tmp_path: Path) -> None:
    path = bundle.path / "towers" / "items.npy"
    path.rename(tmp_path / "elsewhere.npy")
    path.symlink_to(tmp_path / "elsewhere.npy")
    refused(root, r"'towers/items\.npy' is a link, which is refused")
    path.unlink()
    (bundle.path / "towers").rmdir()
    (tmp_path / "towers").mkdir()
    (tmp_path / "elsewhere.npy").rename(tmp_path / "towers" / "items.npy")
    (bundle.path / "towers").symlink_to(tmp_path / "towers")
    refused(root, "'towers' is a link, which is refused")


def test_a_bundle_that_is_a_link_is_refused(root: Path, bundle: Bundle, tmp_path: Path) -> None:
    bundle.path.rename(tmp_path / "away")
    bundle.path.symlink_to(tmp_path / "away")
    refused(root, "is a link, which is refused")


def test_a_pipe_is_refused_and_not_waited_for(root: Path, bundle: Bundle) -> None:
    os.mkfifo(bundle.path / "towers" / "pipe")
    refused(root, "'towers/pipe' is not a file, which is refused")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-40], "is not JSON"),
        (lambda text: "", "is not JSON"),
        (lambda text: text.replace('"items": 20', '"items": NaN'), "is not JSON"),
        (lambda text: "[]", "has format version None; this library reads 2"),
        (lambda text: text.replace('"items": 20', '"items": 21'), "manifest.json was changed"),
        (
            lambda text: text.replace('"format_version": 2', '"format_version": 1'),
            "has format version 1; this library reads 2: use the library that wrote it",
        ),
        (lambda text: text.replace('"seed": 0', '"seed": 0, "x": 1'), "manifest.json was changed"),
    ],
)
def test_a_damaged_manifest_is_refused(
    root: Path, bundle: Bundle, change: object, message: str
) -> None:
    path = bundle.path / "manifest.json"
    path.write_text(change(path.read_text()))
    refused(root, message)
    (info,) = list_bundles(root)
    assert (
        info.version == bundle.version and info.current and message in info.fault.replace("\\", "")
    )


def test_a_missing_manifest_is_refused(root: Path, bundle: Bundle) -> None:
    (bundle.path / "manifest.json").unlink()
    refused(root, r"cannot read .*manifest\.json: No such file")


@pytest.mark.parametrize("name", ["../outside.npy", "/etc/hostname", "towers/../../x"])
def test_a_manifest_cannot_point_out_of_the_folder(
    root: Path, bundle: Bundle, name: str, tmp_path: Path
) -> None:
    entry = bundle.manifest.files["towers/items.npy"]
    files = {**bundle.manifest.files, name: entry}
    write_manifest(bundle.manifest.model_copy(update={"files": files}), bundle.path)
    refused(root, f"'{name}' is missing")


def test_a_manifest_with_other_keys_is_refused(root: Path, bundle: Bundle) -> None:
    class Wider(Manifest):
        surprise: int = 1

    write_manifest(Wider(**bundle.manifest.model_dump()), bundle.path)
    refused(root, "'surprise': Extra inputs are not permitted")


def test_a_bundle_under_another_name_is_refused(root: Path, bundle: Bundle) -> None:
    other = bundle.path.with_name("20990101T000000-00000000")
    bundle.path.rename(other)
    with pytest.raises(BundleError, match=f"holds the bundle {bundle.version}; move it back"):
        open_bundle(root, other.name)
    with pytest.raises(BundleError, match="CURRENT names the bundle .*, which is not there"):
        open_bundle(root)


@pytest.mark.parametrize("text", ["", "../../etc", "20990101T000000-00000000\n"])
def test_a_damaged_pointer_is_refused(root: Path, bundle: Bundle, text: str) -> None:
    (root / "CURRENT").write_text(text)
    with pytest.raises(BundleError, match="CURRENT names the bundle .*, which is not there"):
        open_bundle(root)
    assert open_bundle(root, bundle.version).version == bundle.version


def test_a_missing_bundle_is_refused(root: Path, bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no folder of bundles at .*nowhere; 'recsys"):
        open_bundle(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no bundle is current in .*; 'recsys publish CONFIG'"):
        open_bundle(tmp_path / "empty")
    message = rf"no bundle '\.\./x' in .*; the newest are: {bundle.version}"
    with pytest.raises(NotFoundError, match=message):
        open_bundle(root, "../x")
    assert list_bundles(tmp_path / "nowhere") == ()


def test_reference_queries_with_another_answer_are_noticed(
    root: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are right, but this machine computes something else from them."""
    encode = TableTower.encode
    monkeypatch.setattr(TableTower, "encode", lambda self, batch, _=None: -encode(self, batch))
    with pytest.raises(
        BundleError, match=r"reference query 0 .* must answer \[.*\] and answers \[.*library"
    ):
        open_bundle(root)
    assert verify(root) == bundle.manifest


def test_reference_queries_allow_for_rounding(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = TableTower.encode
    monkeypatch.setattr(
        TableTower, "encode", lambda self, batch, _=None: encode(self, batch) * np.float32(1 + 1e-6)
    )
    assert open_bundle(root).retriever


def test_reference_queries_without_an_answer_are_noticed(root: Path, bundle: Bundle) -> None:
    request = Request.of(user_id="nobody", k=3)
    query = bundle.manifest.reference_queries[0].model_copy(update={"request": request})
    changed = bundle.manifest.model_copy(update={"reference_queries": (query,)})
    write_manifest(changed, bundle.path)
    with pytest.raises(BundleError, match="query 0 .* no longer be answered: unknown"):
        open_bundle(root)


def test_the_error_of_loading_names_different_library_versions(
    root: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path, item_vectors: object) -> None:
        raise DataError("weights of another shape")

    monkeypatch.setitem(recsys.towers.__dict__, "load_towers", fail)
    with pytest.raises(BundleError, match="does not load: weights of another shape; publish again"):
        open_bundle(root)
    libraries = {**bundle.manifest.libraries, "numpy": "0.1"}
    write_manifest(bundle.manifest.model_copy(update={"libraries": libraries}), bundle.path)
    with pytest.raises(BundleError, match=r"it was written with numpy 0\.1 \(here \d"):
        open_bundle(root)


def test_a_copy_elsewhere_opens(root: Path, bundle: Bundle, tmp_path: Path, parts: Parts) -> None:
    root.rename(tmp_path / "moved")
    moved = open_bundle(tmp_path / "moved")
    assert moved.version == bundle.version
    requests = [query.request for query in moved.manifest.reference_queries]
    before = replace(parts.retriever(), bundle_version=bundle.version)
    assert moved.retriever.answer(requests) == before.answer(requests)
    assert not [
        name
        for name in moved.manifest.files
        if str(tmp_path).encode() in (moved.path / name).read_bytes()
    ]
    assert str(tmp_path) not in json.dumps(moved.manifest.model_dump(mode="json"))
    assert replace(moved, version="x").path == moved.path
