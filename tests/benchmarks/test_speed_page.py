"""docs/speed.md holds the tables of the record, and they say what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import speed_page, training
from tests.benchmarks.test_training_speed import made_parts

ROOT = Path(__file__).parents[2]
RESULT = ROOT / speed_page.RESULT
STEPS = {
    "10000.milliseconds": 40.0,
    "10000000.milliseconds": 44.0,
    "step_time_10m_over_10k_items": 1.1,
}


def test_the_tables_stand_between_their_comments(tmp_path: Path) -> None:
    result, page = tmp_path / "training.json", tmp_path / "speed.md"
    figures = training.figures_of(made_parts(), STEPS)
    result.write_text(json.dumps({"figures": figures}))
    empty = (ROOT / speed_page.PAGE).read_text(encoding="utf-8")
    page.write_text(empty, encoding="utf-8")
    speed_page.write(result, page)
    once = page.read_text(encoding="utf-8")
    assert "| seconds up to there | 200.0 ± 100.0 | 8.3 ± 2.9 | **30 ± 26** times sooner |" in once
    assert "| examples a second, median | 2 | 8 | **4.0** times as many |" in once
    assert "| history | 40.0 | 40% | 4.00 | 50% |" in once
    assert "| **step** | 100.0 | 100% | 10.00 | 50% |" in once
    speed_page.write(result, page)
    assert page.read_text(encoding="utf-8") == once


@pytest.mark.skipif(not RESULT.exists(), reason="python -m benchmarks.training was not run yet")
def test_the_page_has_the_figures_of_the_record() -> None:
    text = (ROOT / speed_page.PAGE).read_text(encoding="utf-8")
    figures = json.loads(RESULT.read_text(encoding="utf-8"))["figures"]
    assert speed_page.filled(text, figures) == text
