"""The one form of every figure."""

from __future__ import annotations

import json
import math
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from recsys.errors import DataError
from recsys.evaluation.record import commit, write_record
from recsys.files import write_text

VALUES = {"name": "demo", "command": "make demo", "seeds": [1, 2]}


def test_a_record_has_exactly_the_common_keys(tmp_path: Path) -> None:
    path = tmp_path / "results" / "demo.json"
    write_record(path, **VALUES, figures={"a.recall@10": 0.5, "items": 7}, note="x")
    made = json.loads(path.read_text(encoding="utf-8"))
    assert {"name", "command", "commit", "date", "machine", "seeds", "figures", "note"} == set(made)
    assert made["figures"] == {"a.recall@10": 0.5, "items": 7}
    assert made["seeds"] == [1, 2]
    assert datetime.fromisoformat(made["date"]).utcoffset() == timedelta(0)
    assert {"cpu", "cores", "memory_gb", "python", "tensorflow", "scann"} <= set(made["machine"])
    assert made["commit"] == "unknown" or len(made["commit"].removesuffix("-dirty")) == 40


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_is_not_finite_is_refused_and_nothing_is_written(
    tmp_path: Path, value: float
) -> None:
    with pytest.raises(DataError, match="figure 'recall' must be a finite number"):
        write_record(tmp_path / "a.json", **VALUES, figures={"recall": value})
    assert list(tmp_path.iterdir()) == []


def test_an_extra_entry_cannot_replace_a_common_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'date' is a reserved key"):
        write_record(tmp_path / "a.json", **VALUES, figures={}, date="today")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old")
    with pytest.raises(DataError, match=r"a\.json cannot be written as JSON"):
        write_record(path, **VALUES, figures={}, strange={1, 2})
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text(encoding="utf-8") == "old"


def test_records_and_pages_do_not_make_the_code_dirty_and_code_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        "recsys/code.py",
        "benchmarks/results/made.json",
        "docs/explanation/page.md",
        "docs/design/why.md",
    ]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setitem(commit.__globals__, "__file__", str(tmp_path / "recsys/record.py"))
    for name, dirty in zip(files, (True, False, False, True)):
        (tmp_path / name).write_text("after")
        assert commit().endswith("-dirty") == dirty, name
        (tmp_path / name).write_text("before")
    assert len(commit()) == 40
