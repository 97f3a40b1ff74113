"""Listing, rolling back and pruning."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from recsys.bundle import (
    Parts,
    list_bundles,
    open_bundle,
    previous_version,
    prune,
    publish,
    rollback,
)
from recsys.errors import BundleError, InvalidRequestError, NotFoundError
from tests.bundle.made import made_parts


@pytest.fixture
def three(root: Path, others: Parts) -> list[str]:
    """Versions, the oldest first; the newest is current."""
    return [open_bundle(root).version, publish(root, others), publish(root, made_parts(seed=2))]


def current(root: Path) -> list[str]:
    return [info.version for info in list_bundles(root) if info.current]


def test_versions_are_listed(root: Path, three: list[str]) -> None:
    infos = list_bundles(root)
    assert [info.version for info in infos] == three[::-1]
    assert [info.current for info in infos] == [True, False, False]
    for info in infos:
        assert (info.items, info.dimension, info.fault) == (20, 4, None)
        folder = root / "versions" / info.version
        files = [path for path in folder.rglob("*") if path.is_file()]
        sizes = [path.stat().st_size for path in files if path.name != "manifest.json"]
        assert info.size == sum(sizes) and info.created.endswith("Z")


def test_other_things_in_the_folder_are_not_listed(root: Path, three: list[str]) -> None:
    (root / "versions" / "notes").mkdir()
    (root / "versions" / ".DS_Store").write_text("")
    assert len(list_bundles(root)) == 3


def test_rollback_goes_back_one_by_one(root: Path, three: list[str]) -> None:
    assert rollback(root) == three[1] == open_bundle(root).version
    assert rollback(root) == three[0] == open_bundle(root).version
    with pytest.raises(NotFoundError, match=f"no bundle was current before {three[0]}"):
        rollback(root)
    assert current(root) == [three[0]]


def test_rollback_follows_the_order_of_activations(root: Path, three: list[str]) -> None:
    rollback(root, three[0])  # an activation like any other
    assert previous_version(root) == three[2] == rollback(root)
    assert rollback(root) == three[1]
    with pytest.raises(NotFoundError, match="no bundle was current before"):
        rollback(root)
    rollback(root, three[0])
    assert rollback(root) == three[1]


def test_rollback_skips_bundles_that_were_removed(root: Path, three: list[str]) -> None:
    shutil.rmtree(root / "versions" / three[1])
    assert rollback(root) == three[0]


@pytest.mark.parametrize("content", [None, "nonsense", "[1, null]", "{}"])
def test_a_folder_without_its_activations_has_the_order_of_publishing(
    root: Path, three: list[str], content: str | None
) -> None:
    file = root / "ACTIVATIONS.json"
    file.unlink()
    if content is not None:
        file.write_text(content)
    assert rollback(root) == three[1]


def test_a_crash_before_the_pointer_is_no_activation(root: Path, three: list[str]) -> None:
    rollback(root, three[1])
    (root / "ACTIVATIONS.json").write_text(json.dumps([three[0], three[1], three[2]]))
    assert current(root) == [three[1]] and rollback(root) == three[0]


def test_rollback_to_a_version_and_forward_again(root: Path, three: list[str]) -> None:
    assert rollback(root, three[0]) == three[0]
    assert rollback(root, three[2]) == three[2]
    assert current(root) == [three[2]]


def test_rollback_to_a_missing_version_changes_nothing(root: Path, three: list[str]) -> None:
    with pytest.raises(NotFoundError, match="no bundle 'x' in"):
        rollback(root, "x")
    assert current(root) == [three[2]]


def test_rollback_to_a_damaged_bundle_changes_nothing(root: Path, three: list[str]) -> None:
    os.truncate(root / "versions" / three[1] / "towers" / "items.npy", 5)
    with pytest.raises(BundleError, match=r"'towers/items\.npy' must have .* and has 5"):
        rollback(root)
    assert current(root) == [three[2]]


def test_rollback_to_a_renamed_bundle_changes_nothing(root: Path, three: list[str]) -> None:
    renamed = f"{three[1][:-8]}00000000"
    (root / "versions" / three[1]).rename(root / "versions" / renamed)
    with pytest.raises(BundleError, match=f"{renamed} holds the bundle {three[1]}; move it back"):
        rollback(root, renamed)
    assert current(root) == [three[2]]


def test_rollback_replaces_a_damaged_pointer(root: Path, three: list[str]) -> None:
    (root / "CURRENT").write_text("nonsense")
    assert rollback(root, three[1]) == three[1] == open_bundle(root).version


def test_an_open_bundle_outlives_a_rollback_and_a_prune(root: Path, three: list[str]) -> None:
    bundle = open_bundle(root)
    (query, *_) = bundle.manifest.reference_queries
    before = bundle.retriever.answer([query.request])
    rollback(root, three[0])
    prune(root, keep=1)
    rollback(root, three[0])
    assert bundle.retriever.answer([query.request]) == before


def test_prune_keeps_the_newest_and_the_current(root: Path, three: list[str]) -> None:
    rollback(root, three[0])
    assert prune(root, keep=1) == (three[1],)
    assert [info.version for info in list_bundles(root)] == [three[2], three[0]]
    assert current(root) == [three[0]]
    assert prune(root, keep=5) == ()
    assert not (root / "staging").exists()


def test_prune_must_keep_something(root: Path) -> None:
    with pytest.raises(InvalidRequestError, match="keep must be 1 or more; got 0"):
        prune(root, keep=0)
