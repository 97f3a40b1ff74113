"""Parts of a benchmark are processes of their own, and are measured once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.apart import apart, kept


def test_a_part_is_measured_once(tmp_path: Path) -> None:
    measured = iter([{"seconds": 1}, {"seconds": 2}])
    told = [kept(tmp_path / "some", part, lambda: next(measured)) for part in ("a", "a", "b", "a")]
    assert [each["seconds"] for each in told] == [1, 1, 2, 1]


def test_a_part_that_fails_is_not_kept(tmp_path: Path) -> None:
    def fail() -> dict:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept(tmp_path, "a", fail)
    assert kept(tmp_path, "a", lambda: {"seconds": 3}) == {"seconds": 3}


def test_a_part_apart_says_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = 'import sys, json\nprint("noise")\nprint(json.dumps({"part": sys.argv[1]}))\n'
    (tmp_path / "told.py").write_text(told)
    monkeypatch.chdir(tmp_path)
    assert apart("told", "some") == {"part": "some"}
