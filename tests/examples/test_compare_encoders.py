"""The page about embeddings shows an example that runs; the sample's comparison runs, too."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/own_data"


@pytest.mark.slow
def test_the_shop_compares_its_encoders(tmp_path: Path) -> None:
    example = tmp_path / "own_data"
    shutil.copytree(EXAMPLE, example, ignore=shutil.ignore_patterns("files"))
    subprocess.run([sys.executable, example / "make_files.py", example / "files"], check=True)
    figures = _compared(example / "compare.toml", tmp_path)
    assert figures["word2vec.alone.warm.recall@5"] > figures["random.alone.warm.recall@5"]
    assert figures["word2vec.towers.cold.recall@5"] > figures["ids_only.towers.cold.recall@5"]
    assert figures["words_and_pictures.dimension"] == 128


@pytest.mark.slow
def test_the_sample_set_compares_words_and_pictures(tmp_path: Path) -> None:
    text = (ROOT / "configs/compare-sample.toml").read_text(encoding="utf-8")
    for given, smaller in (
        ('"../data/', f'"{ROOT}/data/'),
        ("train_users = 600", "train_users = 300"),
        ("validation_sample = 1000", "validation_sample = 200"),
        ("epochs = 6", "epochs = 3"),
    ):
        assert given in text
        text = text.replace(given, smaller)
    config = tmp_path / "compare.toml"
    config.write_text(text, encoding="utf-8")
    figures = _compared(config, tmp_path)
    both = "word2vec_auto_encoder.towers.cold.recall@10"
    for one in ("word2vec", "auto_encoder", "mean_of_titles"):
        assert figures[both] > figures[f"{one}.towers.cold.recall@10"]
    # The words of this world give its topics away, and nothing of them is in the pictures.
    assert figures["word2vec.probe.category.text.accuracy"] > 0.9
    assert figures["auto_encoder.probe.category.image.accuracy"] < 0.35


def test_the_page_shows_the_configuration_of_the_example() -> None:
    page = (ROOT / "docs/how-to/choose-an-encoder.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    available = _settings((EXAMPLE / "compare.toml").read_text(encoding="utf-8"))
    missing = [line for line in _settings(shown) if line not in available]
    assert not missing, "the page shows lines that the example does not have"


def _settings(toml: str) -> list[str]:
    lines = (line.split("  #")[0].strip() for line in toml.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _compared(config: Path, runs: Path) -> dict[str, float]:
    with pytest.raises(SystemExit) as ended:
        main(["compare-embeddings", str(config), "--runs", str(runs)])
    assert not ended.value.code
    (file,) = runs.glob("*/comparison.json")
    return dict(json.loads(file.read_text(encoding="utf-8"))["figures"])
