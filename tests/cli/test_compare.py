"""``recsys compare-embeddings``: what is printed where, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.cli import main
from tests.comparison.tiny import BROKEN, write_comparison


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["compare-embeddings", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_a_failed_row_is_in_the_table_with_its_reason_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_comparison(tmp_path / "shop", BROKEN)
    assert _run(path, "--runs", tmp_path / "runs") == 1
    told = capsys.readouterr()
    assert "no file" in told.out and "failed" in told.out and "random" in told.out
    assert "failed: no file:" in told.err and "vectors.txt" in told.err
    assert "row_random: done" in told.err

    assert _run(path, "--runs", tmp_path / "runs", "--json") == 1
    told = capsys.readouterr()
    content = json.loads(told.out)
    assert [row["name"] for row in content["rows"]] == ["random", "no_file"]
    assert "row_random: reused" in told.err


def test_a_misspelt_key_is_told_with_the_near_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_comparison(tmp_path / "shop", BROKEN.replace("label", "lable"))
    assert _run(path) == 1
    assert "did you mean 'label'" in capsys.readouterr().err


def test_an_unknown_row_to_do_anew_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_comparison(tmp_path / "shop", BROKEN)
    assert _run(path, "--runs", tmp_path / "runs", "--again", "nofile") == 1
    assert "did you mean 'no_file'" in capsys.readouterr().err
