"""Output and exit codes of ``recsys compare-embeddings``."""

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


def test_a_failed_variant_is_shown_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_comparison(tmp_path / "shop", BROKEN)
    assert _run(path, "--runs", tmp_path / "runs") == 1
    output = capsys.readouterr()
    assert "no file" in output.out and "failed" in output.out and "random" in output.out
    assert "failed: no file:" in output.err and "vectors.txt" in output.err
    assert "variant_random: done" in output.err

    assert _run(path, "--runs", tmp_path / "runs", "--json") == 1
    output = capsys.readouterr()
    content = json.loads(output.out)
    assert [each["name"] for each in content["variants"]] == ["random", "no_file"]
    assert "variant_random: reused" in output.err


def test_a_misspelt_key_is_reported_with_the_nearest_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_comparison(tmp_path / "shop", BROKEN.replace("label", "lable"))
    assert _run(path) == 1
    assert "did you mean 'label'" in capsys.readouterr().err


def test_an_unknown_variant_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_comparison(tmp_path / "shop", BROKEN)
    assert _run(path, "--runs", tmp_path / "runs", "--again", "nofile") == 1
    assert "did you mean 'no_file'" in capsys.readouterr().err
