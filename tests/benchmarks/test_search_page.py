"""The page on document search: its configuration parses, its figures are measured."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from pydantic import TypeAdapter

from recsys.encoders import JoinedConfig, TextEncoderConfig
from recsys.towers import TowersConfig, TrainConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/explanation/search-benchmark.md").read_text(encoding="utf-8")
RECORD = json.loads((ROOT / "benchmarks/results/cisi.json").read_text(encoding="utf-8"))


def test_the_configuration_of_the_page_is_legal() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    sections = tomllib.loads(block)
    joined = TypeAdapter(TextEncoderConfig).validate_python(sections["text"])
    towers = TowersConfig.model_validate(sections["towers"])
    assert isinstance(joined, JoinedConfig) and joined.scales == (1.0, 0.5)
    assert towers.initial == "identity" and towers.dimension == 640
    assert TrainConfig.model_validate(sections["train"]).epochs == 10


def test_the_page_has_the_figures_of_ours() -> None:
    figures = RECORD["figures"]
    for metric in ("ndcg@10", "map"):
        ours = figures[f"cisi.ours.{metric}"]
        assert ours > max(figures[f"cisi.{other}.{metric}"] for other in ("bm25", "bert"))
        assert f"| **{ours:.3f}** ±" in TEXT
    assert len(RECORD["seeds"]) == 3 and RECORD["queries"]["judged"] == 76


def test_the_page_lists_every_setting() -> None:
    for figure in RECORD["validation"].values():
        assert f"| {figure:.3f} |" in TEXT
