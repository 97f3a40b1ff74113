"""Fingerprints rest on content alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recsys.errors import DataError
from recsys.pipeline.fingerprints import fingerprint_path


def test_a_file_is_its_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("same")
    second.write_text("same")
    os.utime(second, (0, 0))
    assert fingerprint_path(first) == fingerprint_path(second)
    second.write_text("other")
    assert fingerprint_path(first) != fingerprint_path(second)


def test_a_folder_is_its_files_and_their_names(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "deep").mkdir(parents=True)
        (tmp_path / folder / "deep/a.png").write_text("a")
    assert fingerprint_path(tmp_path / "one") == fingerprint_path(tmp_path / "two")
    (tmp_path / "two/deep/a.png").rename(tmp_path / "two/a.png")
    assert fingerprint_path(tmp_path / "one") != fingerprint_path(tmp_path / "two")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a file or a folder at .*; there is nothing"):
        fingerprint_path(tmp_path / "missing")
