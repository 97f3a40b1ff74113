"""Errors are reported in one line with exit code 1; wrong arguments with 2."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.cli import main
from tests.pipeline.tiny import write_tiny

ROOT = Path(__file__).parents[2]
Change = Callable[[Path], object]


def _fail(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    return int(ended.value.code or 0), output.err


def _edit(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        file = folder / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))

    return change


WRONG = {
    "unknown key": (
        _edit("tiny.toml", "dimension = 8\nhistory", "dimensoin = 8\nhistory"),
        "unknown key 'towers.dimensoin': did you mean 'dimension'?",
    ),
    "key of no section": (_edit("tiny.toml", "[split]", "[splitt]"), "did you mean 'split'?"),
    "wrong type": (_edit("tiny.toml", "seed = 3", 'seed = "three"'), "'seed': "),
    "not TOML": (_edit("tiny.toml", "seed = 3", "seed = = 3"), "is not valid TOML"),
    "missing column": (
        _edit("log.csv", "user_id,item_id,at", "user_id,item_id,when"),
        "no column 'at' (its columns: user_id, item_id, when)",
    ),
    "missing field": (
        _edit("tiny.toml", 'title = "title"', 'title = "name"'),
        "no column 'name'",
    ),
    "duplicate item": (_edit("items.csv", "i1,", "i0,"), "'i0'"),
    "unknown item": (_edit("log.csv", "u0,i", "u0,nowhere"), "nowhere"),
    "missing file": (lambda folder: (folder / "log.csv").unlink(), "log.csv"),
    "missing pictures": (
        _edit("tiny.toml", 'pictures = "photos"', 'pictures = "fotos"'),
        "fotos",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_invalid_input_is_reported_in_one_line(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, expected = WRONG[case]
    config = write_tiny(tmp_path / "shop", users=6)
    change(tmp_path / "shop")
    code, message = _fail(capsys, "ingest", config, "--runs", tmp_path / "runs", "--json")
    assert code == 1
    last = message.splitlines()[-1]
    assert last.startswith("error: ") and expected in last, message


def test_a_skip_that_the_configuration_allows_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_tiny(tmp_path / "shop", users=6)
    _edit("log.csv", "u0,i", "u0,nowhere")(tmp_path / "shop")
    _edit("tiny.toml", "[split]", '[data.policy]\nunknown_items = "skip"\n[split]')(
        tmp_path / "shop"
    )
    with pytest.raises(SystemExit) as ended:
        main(["ingest", str(config), "--runs", str(tmp_path / "runs"), "--json"])
    assert ended.value.code in (None, 0)
    report = json.loads(capsys.readouterr().out)["ingest"]["interactions"]
    assert report["read"] - report["kept"] == 1
    (dropped,) = report["dropped"]
    assert dropped["count"] == 1 and "nowhere" in dropped["values"][0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["dance"],
        ["serve", "--bundles", "a", "--grace", "-1"],
        ["query", "--k", "many"],
        ["query", "--user", "u1"],
        ["query", "--bundles", "a", "--address", "b"],
        ["bundles", "verify"],
        ["serve", "--bundles", "a", "--port", "70000"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, message = _fail(capsys, *arguments)
    assert code == 2 and "Error" in message


def test_a_configuration_that_does_not_exist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.toml").touch()
    code, message = _fail(capsys, "run", tmp_path / "shp.toml")
    assert code == 1 and "No such file or directory; did you mean 'shop.toml'?" in message
    code, message = _fail(capsys, "run", "log.csv")
    assert code == 2 and "recsys init log.csv > log.toml" in " ".join(message.split())


def test_a_folder_of_bundles_that_does_not_exist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["list"], ["verify"], ["rollback"]):
        code, message = _fail(capsys, "bundles", *command, tmp_path / "none")
        assert code == 1 and "there is no folder of bundles at" in message
    assert not (tmp_path / "none").exists()


def test_a_mistyped_command_suggests_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    for typed, near in (("qurey", "query"), ("bundels", "bundles"), ("compair", "compare")):
        code, message = _fail(capsys, typed)
        assert code == 2 and f"Did you mean '{near}'?" in message


def test_a_fault_of_the_engine_prints_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("1 / 0")

    monkeypatch.setattr("recsys.pipeline.open_job", broken)
    code, message = _fail(capsys, "ingest", tmp_path / "any.toml")
    assert code == 1 and "unexpected ZeroDivisionError: 1 / 0" in message
    monkeypatch.setenv("RECSYS_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["ingest", "any.toml"])


def test_the_program_and_its_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recsys.cli", "--version"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0 and done.stdout.strip().count(".") == 2, done.stderr
