"""A folder of an index is whole and its own, or refused before anything else reads it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from recsys.errors import DataError
from recsys.index import ScannConfig, build_index, load_index
from recsys.index.description import FILE
from tests.contracts.index_contract import made_vectors

VECTORS = made_vectors(100, seed=51, dimension=4)
CONFIG = ScannConfig(num_leaves=4, leaves_to_search=1, reorder=1, brute_force_below=16)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "index"
    build_index(VECTORS, CONFIG).save(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "index"))


def others(folder: Path) -> list[Path]:
    """The files next to the description."""
    return sorted(each for each in folder.rglob("*") if each.is_file() and each.name != FILE)


def test_every_file_is_described(saved: Path) -> None:
    names = [each.relative_to(saved).as_posix() for each in others(saved)]
    assert list(json.loads((saved / FILE).read_text())["files"]) == names
    assert len(names) > 8


def test_every_damage_of_every_file_is_found(folder: Path) -> None:
    for path in others(folder):
        whole = path.read_bytes()
        flipped = whole[:-1] + bytes([whole[-1] ^ 1]) if whole else b"x"
        for damaged in (flipped, whole[: len(whole) // 2], whole + b"\0"):
            if damaged != whole:
                path.write_bytes(damaged)
                with pytest.raises(DataError, match=f"{path.name} does not have the content"):
                    load_index(folder, VECTORS)
        path.unlink()
        with pytest.raises(DataError, match=f"cannot read .*{path.name}: No such file.*again"):
            load_index(folder, VECTORS)
        path.write_bytes(whole)
    assert len(load_index(folder, VECTORS)) == 100


def test_files_of_another_index_over_as_many_vectors_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    build_index(made_vectors(100, seed=52, dimension=4), CONFIG).save(other)
    for name in ("leaves", "scann"):
        shutil.rmtree(folder / name)
        shutil.copytree(other / name, folder / name)
    with pytest.raises(DataError, match="does not have the content that was saved; build the ind"):
        load_index(folder, VECTORS)


def test_a_folder_that_was_written_in_part_is_refused(folder: Path) -> None:
    (folder / FILE).unlink()  # It is written last.
    with pytest.raises(DataError, match=rf"cannot read .*{FILE}: No such file.*; build the index"):
        load_index(folder, VECTORS)
