"""docs/quality.md says what the records say, and nothing of what has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import quality_page
from benchmarks.levers import cold
from benchmarks.levers.results import entry
from benchmarks.levers.results import merge as merge_lever
from benchmarks.levers.worlds import WORLDS
from benchmarks.quality.datasets import DATA_SETS
from benchmarks.quality.results import merge
from recsys.pipeline.config import load_run_config
from tests.benchmarks.test_levers import MADE, made

ROOT = Path(__file__).parents[2]


def record(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def settings(pairs: int, dimension: int) -> dict[str, Any]:
    return {"towers": {"dimension": dimension}, "train": {"members": [{}] * pairs}}


def written(tmp_path: Path) -> str:
    page = tmp_path / "quality.md"
    if not page.exists():
        empty = {"figures": "", "levers": "", "cold": ""}
        text = (ROOT / quality_page.PAGE).read_text(encoding="utf-8")
        page.write_text(quality_page.filled(text, empty), encoding="utf-8")
    quality_page.write(tmp_path / "quality.json", tmp_path / "levers.json", page)
    return page.read_text(encoding="utf-8")


def test_without_records_the_page_names_no_data_set(tmp_path: Path) -> None:
    text = written(tmp_path)
    assert not any(title in text for title in quality_page.TITLES.values())
    assert "| model |" not in text and "one dot product" in text


def test_a_data_set_has_a_table_once_something_of_it_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    figures = {"hr@10": 0.12, "hr@10.std": 0.001, "ndcg@10": 0.07, "ndcg@10.std": 0.0005}
    told = {**MADE, "seeds": [1, 2, 3], "settings": settings(6, 128)}
    merge(path, "beauty", {**figures, "minutes": 50.0, "peak_gib": 2.5}, told)
    ease = {"hr@10": 0.05, "ndcg@10": 0.03, "minutes": 0.5, "peak_gib": 3.0}
    merge(path, "beauty.ease", ease, {**MADE, "seeds": [1]})
    text = written(tmp_path)
    assert "| model | HR@10 | NDCG@10 | minutes | GiB |" in text
    assert "| **ours** | **0.1200 ± 0.0010** | **0.0700 ± 0.0005** | **50.0** | **2.5** |" in text
    assert "| EASE | 0.0500 | 0.0300 | 0.50 | 3.0 |" in text
    assert "| TIGER, published | 0.0648 | 0.0384 |  |  |" in text
    assert "| *to be reached* | 0.1100 | 0.0660 |  |  |" in text
    assert "6 pairs of towers, each with vectors of 128 numbers, joined into one of 768" in text
    assert "Gowalla" not in text and "MovieLens" not in text
    assert written(tmp_path) == text

    recall = {"recall@20": 0.19, "ndcg@20": 0.16, "minutes": 9.0, "peak_gib": 1.0}
    merge(path, "gowalla", recall, {**MADE, "seeds": [1], "settings": settings(0, 64)})
    text = written(tmp_path)
    assert "| **ours** | **0.1900** | **0.1600** |" in text
    assert "one pair of towers with vectors of 64 numbers; one seed" in text
    merge(path, "gowalla", recall, {**MADE, "seeds": [1], "settings": settings(2, 64)})
    assert "joined into one of 128" in written(tmp_path)
    assert "have 64 dimensions" in text and "SASRec (RecTools) is not run here" in text


def test_gowalla_keeps_64_dimensions() -> None:
    config = load_run_config(ROOT / DATA_SETS["gowalla"].config)
    members = len(config.train.members)
    assert config.towers.dimension * max(members, 1) == 64


def test_levers_and_cold_items_are_shown_once_they_were_measured(tmp_path: Path) -> None:
    world, path = WORLDS["beauty"], tmp_path / "levers.json"
    by_name = {variant.name: variant for variant in world.variants}
    seeds = {"base": (0.06, 0.07, 0.08), "hstu": (0.06,)}
    for name, values in seeds.items():
        measured = made(*values, metric="ndcg@10")
        for each in measured.values():
            each["figures"]["hr@10"] = 0.1
        told = entry(world, by_name[name], measured, mark="now")
        merge_lever(path, f"beauty.{name}", told)
    text = written(tmp_path)
    assert "| **`base`** | **ids and words of titles" in text
    assert "| **0.0700 ± 0.0100** |" in text
    assert (
        "| `hstu` | attention that adds up (HSTU, Zhai et al. 2024) | 0.0600 | 0.1000 | -1.0 |"
        in text
    )
    assert "BPR" not in text and "never met" not in text, "what was not measured"

    for variant in WORLDS["cold"].variants[:3]:
        measured = made(0.1, 0.2, 0.3, metric=cold.WARM, cold_items=500)
        merge_lever(
            path, f"cold.{variant.name}", entry(WORLDS["cold"], variant, measured, mark="now")
        )
    text = written(tmp_path)
    assert "| ids and words | 0.2000 ± 0.1000 | 0.1000 ± 0.0500 | 2.0 |" in text
    assert "| chance |  | 0.0200 |  |" in text and "+0.0 standard deviations better" in text


@pytest.mark.parametrize("path", [quality_page.QUALITY, quality_page.LEVERS])
def test_the_page_has_the_figures_of_the_records(path: Path) -> None:
    if not (ROOT / path).is_file():
        pytest.skip(f"{path} was not measured yet")
    text = (ROOT / quality_page.PAGE).read_text(encoding="utf-8")
    parts = quality_page.sections(
        record(ROOT / quality_page.QUALITY), record(ROOT / quality_page.LEVERS)
    )
    assert quality_page.filled(text, parts) == text, "run python -m benchmarks.quality_page"
