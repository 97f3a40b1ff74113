"""``python -m server.call``: answers on standard output, errors on standard error, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.retrieval import Query
from server.call import app
from tests.retrieval.world import make_world
from tests.server.service_world import LineRetriever, served

RETRIEVER = LineRetriever()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(RETRIEVER) as running:
        yield running.address


def test_candidates_are_printed_one_a_line(address: str) -> None:
    result = CliRunner().invoke(app, ["--address", address, "--history", "item-05", "--k", "2"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "1\t-0.2500\titem-04\n2\t-0.2500\titem-06\n"


def test_json_holds_the_whole_answer(address: str) -> None:
    options = ["--history", "gone,item-05", "--k", "1", "--space", "text", "--exclude", "item-04"]
    result = CliRunner().invoke(app, ["--address", address, *options, "--json"])
    assert json.loads(result.stdout) == {
        "bundle_version": "v7",
        "space": "text",
        "candidates": [{"item_id": "item-06", "score": -0.25, "rank": 1}],
        "unknown_history_ids": ["gone"],
        "short_reason": None,
        "unknown_exclude_ids": [],
        "unread_terms": None,
    }


def test_what_is_short_or_unknown_is_told_beside_the_answer(address: str) -> None:
    result = CliRunner().invoke(app, ["--address", address, "--history", "gone", "--k", "50"])
    assert result.exit_code == 0
    assert "note: only 40 items are left" in result.stderr
    assert "note: unknown ids in the history were skipped: gone" in result.stderr


def test_every_way_of_asking_reaches_the_service(address: str, tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(b"any bytes")
    for options, query in (
        (["--user", "ann", "--terms", "red lamp"], Query(user_id="ann", terms="red lamp")),
        (["--history", ""], Query(history=())),
        (["--item", "item-01"], Query(item_id="item-01")),
        (["--image", str(picture)], Query(image=b"any bytes")),
    ):
        assert CliRunner().invoke(app, ["--address", address, *options]).exit_code == 0
        assert RETRIEVER.calls[-1] == query


def test_a_fusion_reaches_the_service_and_its_parts_come_back() -> None:
    with served(make_world().retriever()) as running:
        asked = ["--address", running.address, "--item", "i10", "--space", "two_tower+text"]
        plain = CliRunner().invoke(app, [*asked, "--k", "1", "--fusion", "sum"])
        assert plain.stdout == "1\t1.9754\ti09\ttext=0.9877\ttwo_tower=0.9877\n"
        weighed = ["--weight", "text=0", "--weight", "two_tower=2", "--k", "1", "--json"]
        (found,) = json.loads(CliRunner().invoke(app, [*asked, *weighed]).stdout)["candidates"]
        assert found["score"] == pytest.approx(2 / 61) and set(found["parts"]) == {
            "two_tower",
            "text",
        }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--user", "nobody"], "error: unknown user id 'nobody' (unknown_id)"),
        (
            ["--user", "ann", "--k", "0"],
            "k must be from 1 to 10,000; got 0 (request_invalid)",
        ),
        (["--user", "ann", "--seen", "maybe"], "seen must be 'exclude' or 'include'"),
        (["--user", "ann", "--weight", "text"], "a weight must be SPACE=NUMBER"),
        (["--user", "ann", "--fusion", "max"], "fusion must be 'rrf'"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(address: str, options: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["--address", address, *options])
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr and result.stderr.count("\n") == 1


def test_no_service_is_exit_code_1() -> None:
    result = CliRunner().invoke(app, ["--address", "127.0.0.1:1", "--user", "ann"])
    assert result.exit_code == 1
    assert "no service answered at 127.0.0.1:1" in result.stderr


def test_wrong_options_are_exit_code_2() -> None:
    assert CliRunner().invoke(app, ["--user", "ann"]).exit_code == 2
    assert CliRunner().invoke(app, ["--address", "x", "--k", "many"]).exit_code == 2


def test_it_runs_as_a_process(address: str) -> None:
    command = [sys.executable, "-m", "server.call", "--address", address, "--user", "ann"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 10
