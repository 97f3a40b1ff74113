"""Damaged folders of bundles at every door: the command line, the service and the notebook."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import recsys
from recsys.bundle import list_bundles
from recsys.cli.app import main
from recsys.errors import RecsysError
from recsys_server.processes import loading


def _file(root: Path) -> Path:
    return root / "CURRENT"


def _pipe(root: Path) -> Path:
    (root / "CURRENT").unlink()
    os.mkfifo(root / "CURRENT")
    return root


def _lost(root: Path) -> Path:
    (root / "CURRENT").unlink()
    return root


def _nested(root: Path) -> Path:
    _manifest(root).write_text("[" * 100_000)
    return root


def _other_types(root: Path) -> Path:
    _manifest(root).write_text('{"format_version": 2, "files": 5}')
    return root


def _flipped(root: Path) -> Path:
    file = _manifest(root).parent / "data" / "log.parquet"
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)
    return root


def _manifest(root: Path) -> Path:
    return root / "versions" / list_bundles(root)[0].version / "manifest.json"


@pytest.mark.parametrize("damage", [_file, _pipe, _lost, _nested, _other_types, _flipped])
def test_damage_is_one_line_at_every_door(
    root: Path,
    damage: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = damage(root)
    for command in (["bundles", "verify", path], ["query", "--bundles", path, "--user", "u1"]):
        with pytest.raises(SystemExit) as caught:
            main([str(part) for part in command])
        output = capsys.readouterr()
        assert caught.value.code == 1 and output.out == ""
        assert output.err.startswith("error: ") and len(output.err.splitlines()) == 1
        assert "this is a bug" not in output.err
    with pytest.raises(RecsysError):
        recsys.open(path)
    with pytest.raises(RecsysError):
        loading.load(path, "current")


@pytest.mark.parametrize("damage", [_pipe, _lost])
def test_the_list_warns_that_no_bundle_is_current(
    root: Path, damage: Callable[[Path], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bundles", "list", str(damage(root))])
    output = capsys.readouterr()
    assert caught.value.code == 0
    assert list_bundles(root)[0].version in output.out
    assert output.err.startswith("warning: ") and "CURRENT" in output.err
