"""The pages of the documentation have the figures of the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ablations import page as ablations_page
from benchmarks.pages import filled, read_record
from benchmarks.quality import page as quality_page
from benchmarks.quality.datasets import DATA_SETS
from benchmarks.quality.record import merge
from benchmarks.training import page as training_page
from recsys.pipeline.config import load_run_config

ROOT = Path(__file__).parents[2]
ORIGIN = {"date": "2026-01-01T00:00:00+00:00", "commit": "c", "machine": {"cores": 2}}


def test_a_table_has_the_engine_the_peers_and_published_figures(tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    figures = {"hr@10": 0.12, "hr@10.std": 0.001, "ndcg@10": 0.07, "ndcg@10.std": 0.0005}
    entry = {**ORIGIN, "seeds": [1, 2, 3]}
    merge(path, "beauty", {**figures, "minutes": 50.0, "peak_gib": 2.5}, entry)
    ease = {"hr@10": 0.05, "ndcg@10": 0.03, "minutes": 0.5, "peak_gib": 3.0}
    record = merge(path, "beauty.ease", ease, {**ORIGIN, "seeds": [1]})
    table = quality_page.sections(record)["figures of beauty"]
    assert "| model | HR@10 | NDCG@10 | minutes | GiB |" in table
    assert "| **ours** | **0.1200 ± 0.0010** | **0.0700 ± 0.0005** | **50.0** | **2.5** |" in table
    assert "| EASE | 0.0500 | 0.0300 | 0.50 | 3.0 |" in table
    assert "| TIGER, published | 0.0648 | 0.0384 |  |  |" in table


def test_gowalla_keeps_64_dimensions() -> None:
    config = load_run_config(ROOT / DATA_SETS["gowalla"].config)
    assert config.towers.dimension * max(len(config.train.members), 1) == 64


@pytest.mark.parametrize(
    ("page", "result", "sections"),
    [
        (quality_page.PAGE, quality_page.RESULT, quality_page.sections),
        (quality_page.PAGE, ablations_page.RESULT, ablations_page.sections),
        (
            training_page.PAGE,
            training_page.RESULT,
            lambda record: training_page.sections(record["figures"]),
        ),
    ],
)
def test_pages_have_the_figures_of_the_records(
    page: Path, result: Path, sections: Callable[[Mapping[str, Any]], dict[str, str]]
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert filled(text, sections(read_record(ROOT / result))) == text, "write the page again"
