"""Temporary folders of killed processes are removed by the next one, and no others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.live.temporary import TemporaryFolder

OWNER = """
import sys
from recsys.live.temporary import TemporaryFolder
folder = TemporaryFolder("kept-")
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_goes_with_its_owner(temporary: Path) -> None:
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdin is not None and owner.stdout is not None
        theirs = Path(owner.stdout.readline().decode().strip())
        other = TemporaryFolder("kept-")
        assert theirs.is_dir() and other.path.is_dir(), "its owner is alive"
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    last = TemporaryFolder("kept-")
    assert not theirs.exists() and other.path.is_dir() and last.path.is_dir()
    for each in (other, last):
        each.close()
    assert list(temporary.iterdir()) == []


def test_folders_without_a_lock_stay_for_a_day(temporary: Path) -> None:
    young, old, foreign = (temporary / name for name in ("kept-a", "kept-b", "others"))
    for each in (young, old, foreign):
        each.mkdir()
        os.utime(each, (1, 1) if each is not young else None)
    TemporaryFolder("kept-").close()
    assert [each.exists() for each in (young, old, foreign)] == [True, False, True]
