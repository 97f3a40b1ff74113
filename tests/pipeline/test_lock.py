"""Two runs never work in the same folder, and a killed one leaves no lock behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recsys.errors import ConfigError
from recsys.pipeline.lock import only_run_in

HOLD = """
import sys, time
from pathlib import Path
from recsys.pipeline.lock import only_run_in
with only_run_in(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=f"process {holder.pid}.*is at work in"):
            _take(tmp_path)
        holder.kill()
    _take(tmp_path)


def test_a_folder_can_be_taken_again(tmp_path: Path) -> None:
    _take(tmp_path / "run")
    _take(tmp_path / "run")


def _take(folder: Path) -> None:
    with only_run_in(folder):
        pass
