"""The collection of benchmarks refuses a gap, in words that say what to run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.embeddings import FIGURES, parts, rows_of


def _write(folder: Path) -> None:
    for name, figures in FIGURES.items():
        content = {"name": name, "figures": dict.fromkeys(figures, 0.5)}
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_all_parts_are_found(tmp_path: Path) -> None:
    _write(tmp_path)
    assert list(parts(tmp_path)) == list(FIGURES)


def test_every_gap_is_told_with_its_command(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "cisi.json").unlink()
    (tmp_path / "compare-amazon-beauty.json").unlink()
    (tmp_path / "pictures.json").write_text("{", encoding="utf-8")
    (tmp_path / "transfer.json").write_text('{"figures": {"transfer.recall@50": 1}}')
    with pytest.raises(SystemExit) as ended:
        parts(tmp_path)
    told = str(ended.value)
    assert "cisi.json cannot be read" in told and "run python -m benchmarks.cisi" in told
    assert "run python -m benchmarks.pictures" in told
    assert "no figure 'transfer.scratch.recall@50'" in told
    assert "run python -m benchmarks.comparisons compare-amazon-beauty" in told
    assert "cold_items" not in told


def test_a_row_says_on_what_it_was_measured() -> None:
    content = {"rows": [{"label": "BERT", "figures": {}}]}
    assert rows_of("compare-amazon-beauty", content)[0]["data"] == "amazon-beauty"
