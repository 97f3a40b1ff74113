"""Ablations: legal studies, the merged record, and the tables that are written from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ablations import __main__ as ablations
from benchmarks.ablations import page
from benchmarks.ablations.page import COLD, STUDIES, WARM, merge, sections, shown_variants
from recsys.pipeline import load_run_config
from recsys.tuning.study import VariantStudy, open_study
from tests.tuning.tiny import write_study

ROOT = Path(__file__).parents[2]
ORIGIN = {"date": "2026-01-01T00:00:00+00:00", "commit": "c", "machine": {"cores": 2}}
STUDY = """
name = "widths"
base = "tiny.toml"
changes = { "train.epochs" = 1 }

[[variants]]
name = "base"
description = "the run"
seeds = [1, 2]

[[variants]]
name = "narrow"
description = "four numbers"
changes = { "towers.dimension" = 4 }
"""


@pytest.mark.parametrize("name", STUDIES)
def test_variants_are_legal_distinct_and_described(name: str) -> None:
    study = open_study(STUDIES[name], runs=Path("runs"))
    assert isinstance(study, VariantStudy)
    changes = [json.dumps(study.changes(each), sort_keys=True) for each in study.config.variants]
    assert len(set(changes)) == len(changes)
    assert all(variant.description for variant in study.config.variants)
    base = study.run(study.reference)
    assert not base.train.members
    assert (base.train.distillation is None) == (name != "gowalla-order")


def test_members_is_the_preset() -> None:
    study = open_study(STUDIES["beauty"], runs=Path("runs"))
    assert isinstance(study, VariantStudy)
    (members,) = (each for each in study.config.variants if each.name == "members")
    preset = load_run_config(ROOT / "configs/amazon-beauty-ensemble.toml")
    assert study.run(members) == preset
    assert study.run(study.reference).towers.blocks == ("text.bag-of-words",)


@pytest.mark.slow
def test_a_study_is_trained_merged_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_study(tmp_path / "shop", STUDY)
    record = tmp_path / "ablations.json"
    for module in (ablations, page):
        monkeypatch.setattr(module, "STUDIES", {"shop": path})
    monkeypatch.setattr(ablations, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(ablations, "ON_TEST", ("shop",))
    monkeypatch.setattr(ablations, "write_page", lambda record: None)
    monkeypatch.setattr(ablations, "merge", lambda name, content: merge(name, content, record))
    assert ablations.main(["--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content == json.loads(record.read_text())
    assert set(content["parts"]) == {"shop.base", "shop.narrow"}
    assert 0 < content["figures"]["shop.base.ndcg@5"] <= 1
    assert content["figures"]["shop.narrow.cold_items"] >= 0
    assert ablations.main(["--only", "narrow", "--seeds", "1,2"]) == 0
    assert "difference in std" in capsys.readouterr().out
    assert json.loads(record.read_text())["parts"]["shop.narrow"]["seeds"] == [1, 2]
    assert ablations.main(["--only", "narow"]) == 1
    assert "no variant 'narow'" in capsys.readouterr().err


def content_of(reference: str = "now", **variants: dict[str, float]) -> dict[str, Any]:
    return {
        "reference": reference,
        "variants": {
            name: {
                **ORIGIN,
                "description": f"{name} described",
                "changes": {},
                "seeds": [1],
                "figures": {"minutes": 2.0, **figures},
                "validation": {"1": figures.get(WARM, 0.0)},
            }
            for name, figures in variants.items()
        },
    }


def test_only_variants_with_the_recorded_base_and_removed_ones_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "ablations.json"
    base = {"ndcg@10": 0.07, "ndcg@10.std": 0.01, "hr@10": 0.1}
    merge("beauty", content_of("before", hstu={"ndcg@10": 0.05}, crop={"ndcg@10": 0.06}), path)
    record = json.loads(path.read_text())
    record["parts"]["beauty.crop"] |= {"last_commit": "d2ab8ff", "difference": -1.5}
    path.write_text(json.dumps(record))
    assert shown_variants(record, "beauty") == {}
    record = merge("beauty", content_of(base=base, mean={"ndcg@10": 0.06}), path)
    assert set(shown_variants(record, "beauty")) == {"base", "crop", "mean"}
    table = sections(record)["ablations of beauty"]
    assert "| **`base`** | **base described** | **0.0700 ± 0.0100** | **0.1000** |  |" in table
    assert "| `mean` | mean described | 0.0600 |  | -1.0 | 2.0 |" in table
    assert "| `crop` | crop described; removed, last in `d2ab8ff` | 0.0600 |  | -1.5 |" in table


def test_cold_items_are_compared_with_the_better_ids(tmp_path: Path) -> None:
    figures = {
        "ids": {WARM: 0.12, f"{WARM}.std": 0.02, COLD: 0.0},
        "ids-dropout": {WARM: 0.14, f"{WARM}.std": 0.02, COLD: 0.0},
        "ids+words": {WARM: 0.12, f"{WARM}.std": 0.01, COLD: 0.06, "cold_items": 400.0},
    }
    record = merge("cold", content_of(**figures), tmp_path / "ablations.json")
    assert record["figures"][f"cold.chance.{COLD}"] == 10 / 400
    # 0.02 less than the better of the two, in units of sqrt((4 + 1) / 2) / 100
    assert record["figures"]["cold.no_loss"] == pytest.approx(-2 / 2.5**0.5)
    table = sections(record)["cold items"]
    assert "| chance |  | 0.0250 |  |" in table and "is -1.3 standard deviations above" in table
