"""The page on own data is followed from csv files to an evaluated model."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.bundle import open_bundle
from recsys.cli import main
from recsys.pipeline.config import load_run_config

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/own_data"
PAGE = (ROOT / "docs/get-started/own-data.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_two_csv_files_and_a_folder_of_pictures(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    config = shop / "shop.toml"
    subprocess.run([sys.executable, EXAMPLE / "make_files.py", shop], check=True)
    files = [shop / "visits.csv", shop / "products.csv", "--pictures", shop / "photos"]
    _command("init", *files, "--name", "shop", "--out", config)
    (shown, *_) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert _settings(shown) == _settings(config.read_text(encoding="utf-8"))

    _command("publish", config, "--runs", tmp_path)
    assert open_bundle(tmp_path / "shop/bundles").retriever.retrieve(user_id="c36", k=5).candidates
    evaluated = json.loads((tmp_path / "shop/evaluate/stage.json").read_text(encoding="utf-8"))
    figures = evaluated["figures"]
    assert figures["two_tower.recall@10"] > 2 * figures["random.recall@10"]
    assert figures["two_tower.recall@10"] > figures["popularity.recall@10"]


def test_the_example_configuration_is_valid() -> None:
    assert load_run_config(EXAMPLE / "shop.toml").spaces == ("two_tower", "text", "image")


def _command(*arguments: object) -> None:
    """Run a command in this process, where TensorFlow is imported already."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert not ended.value.code


def _settings(toml: str) -> list[str]:
    lines = (line.split("  #")[0].strip() for line in toml.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
