"""The example of own data is run as its page says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import forked

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/own_data"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_csv_files_and_a_folder_of_pictures(tmp_path: Path) -> None:
    example = tmp_path / "own_data"
    shutil.copytree(EXAMPLE, example, ignore=shutil.ignore_patterns("files"))
    subprocess.run([sys.executable, example / "make_files.py", example / "files"], check=True)
    done = forked.run("recsys.cli", "run", example / "shop.toml", "--runs", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert figures["two_tower.recall@10"] > 2 * figures["random.recall@10"]
    assert figures["two_tower.recall@10"] > figures["popularity.recall@10"]


def test_the_page_shows_the_configuration_of_the_example() -> None:
    page = (ROOT / "docs/get-started/own-data.md").read_text(encoding="utf-8")
    shown = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0]
    available = _settings((EXAMPLE / "shop.toml").read_text(encoding="utf-8"))
    missing = [line for line in _settings(shown) if line not in available]
    assert not missing, "the page shows lines that the example does not have"


def _settings(toml: str) -> list[str]:
    lines = (line.split("  #")[0].strip() for line in toml.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
