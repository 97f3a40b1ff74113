"""``python -m recsys_server`` with what it cannot serve: one line in the log, and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from recsys.cli.app import app as cli
from recsys_server.__main__ import app

ROOT = Path(__file__).parents[2]


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recsys_server", *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_both_commands_have_the_same_options() -> None:
    serve, command = (get_command(each) for each in (cli, app))
    assert isinstance(serve, TyperGroup)
    ours, theirs = (
        {(*each.opts, str(each.default), getattr(each, "help", "")) for each in command.params}
        for command in (serve.commands["serve"], command)
    )
    assert ours == theirs and len(ours) > 6


def test_no_bundle_is_exit_code_1_and_one_line_of_json_with_the_reason(tmp_path: Path) -> None:
    done = run("--bundles", str(tmp_path), "--port", "0", "--json-logs")
    assert (done.returncode, done.stdout) == (1, "")
    records = [json.loads(line) for line in done.stderr.splitlines()]
    assert records[0]["settings"]["bundles"] == str(tmp_path)
    errors = [each["message"] for each in records if each["level"] == "error"]
    assert len(errors) == 1 and errors[0].endswith("(not_found)")


def test_no_folder_of_bundles_is_exit_code_1() -> None:
    done = run()
    assert done.returncode == 1 and "the key 'bundles' is missing" in done.stderr


@pytest.mark.parametrize(
    "options", [["--bundles", "x", "--port", "70000"], ["--bundles", "x", "--grace", "-1"]]
)
def test_wrong_options_are_exit_code_2(options: list[str]) -> None:
    assert CliRunner().invoke(app, options).exit_code == 2
