"""The notebook-style examples run, with settings that train in seconds."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import recsys
from recsys.engine import fit
from tests.docs.namespaces import small_fit
from tests.engine.frames import QUICK

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_the_sample_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recsys, "fit", small_fit(Path("runs/notebook")), raising=False)
    names = runpy.run_path(str(EXAMPLES / "notebook.py"))
    assert names["everyone"].groupby("user_id").size().eq(10).all()
    assert names["report"].figures.loc["two_tower", "recall@10"] > 0
    assert "opened from the bundle" not in capsys.readouterr().out
    assert Path("runs/notebook/report.html").is_file()


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif("RECSYS_DATA_HOME" not in os.environ, reason="needs RECSYS_DATA_HOME")
def test_movielens(monkeypatch: pytest.MonkeyPatch) -> None:
    def some_users(
        interactions: pd.DataFrame, films: pd.DataFrame, **options: Any
    ) -> recsys.Engine:
        log = interactions[interactions["user_id"] <= 30]
        seen = films[films["item_id"].isin(log["item_id"])]
        return fit(log, seen, **{**QUICK, **options}, progress=False)

    monkeypatch.setattr(recsys, "fit", some_users, raising=False)
    names = runpy.run_path(str(EXAMPLES / "notebook_movielens.py"))
    recommended, interactions = names["recommended"], names["interactions"]
    assert recommended["user_id"].dtype == recommended["item_id"].dtype == "int64"
    seen = recommended.merge(interactions, on=["user_id", "item_id"])
    assert seen.empty and recommended["title"].notna().all()
    assert Path("runs/films/report.json").is_file()


def test_each_job_takes_at_most_five_lines() -> None:
    for name in ("notebook.py", "notebook_movielens.py"):
        cells = (EXAMPLES / name).read_text(encoding="utf-8").split("# %% ")[2:]
        assert len(cells) == 5
        for cell in cells:
            assert len([line for line in cell.splitlines()[1:] if line.strip()]) <= 5
