"""``recsys query --requests``: one line of JSON per request, with the lines that failed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from recsys.cli import main
from recsys.cli.query.lines import answer_lines
from recsys.errors import InvalidRequestError, RecsysError, ServiceError
from recsys_client import Request, Response, RetrievalCalls
from tests.server.service_world import LineRetriever, served

RETRIEVER = LineRetriever()
LINES = [
    {"history": ["item-05"], "k": 2},
    {"user_id": "nobody"},
    {"history": ["item-05"], "colour": "red"},
    {"item_id": "item-01", "titles": False},
]
Run = Callable[..., tuple[int, list[Any], str]]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(RETRIEVER) as running:
        yield running.address


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], address: str) -> Run:
    """Runs ``recsys query --requests`` with the service; exit code, JSON of the lines, errors."""

    def run(*options: object, to: str = address) -> tuple[int, list[Any], str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["query", "--address", to, *map(str, options)])
        output, errors = capsys.readouterr()
        return (
            int(ended.value.code or 0),
            [json.loads(line) for line in output.splitlines()],
            errors,
        )

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n\n".join(json.dumps(each) for each in LINES) + "\nnot JSON\n[1]\n")
    return path


def test_each_line_has_its_response_or_its_error(run: Run, file: Path) -> None:
    code, answers, errors = run("--requests", file, "--k", 3)
    assert (code, errors) == (1, "error: 4 of 6 requests have no response\n")
    first, unknown, field, item, text, array = answers
    assert [each["item_id"] for each in first["candidates"]] == ["item-04", "item-06"]
    assert len(item["candidates"]) == 3
    assert unknown == {
        "line": 3,
        "error": {
            "code": "unknown_id",
            "message": "unknown user id 'nobody'",
            "field": "query.user_id",
        },
    }
    assert field["line"] == 5 and "no field 'colour'" in field["error"]["message"]
    assert text["line"] == 8 and "the line is not JSON" in text["error"]["message"]
    assert array["line"] == 9 and "got list" in array["error"]["message"]


def test_options_are_the_defaults_of_the_lines(run: Run, file: Path) -> None:
    file.write_text('{"history": ["item-05"]}\n{"history": ["item-05"], "seen": "exclude", "k": 1}')
    code, (first, second), errors = run("--requests", file, "--k", 2, "--seen", "include")
    assert (code, errors) == (0, "")
    assert [each["item_id"] for each in first["candidates"]] == ["item-05", "item-04"]
    assert [each["item_id"] for each in second["candidates"]] == ["item-04"]
    assert second["candidates"][0]["title"] == "Item number 4"


def test_requests_are_read_from_stdin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(LINES[0]).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    code, (answer,), _ = run("--requests", "-")
    assert code == 0 and len(answer["candidates"]) == 2


@pytest.mark.parametrize("options", [["--user", "ann"], ["--sheet", "a.png"]])
def test_options_of_one_query_are_refused(run: Run, file: Path, options: list[str]) -> None:
    code, answers, errors = run("--requests", file, *options)
    assert (code, answers) == (2, []) and "--requests names the queries" in errors


def test_without_a_file_or_a_service_the_command_ends(run: Run, file: Path) -> None:
    code, answers, errors = run("--requests", file.with_name("none"))
    assert (code, answers) == (1, []) and "none: No such file" in errors
    code, answers, errors = run("--requests", file, to="127.0.0.1:1")
    assert (code, answers) == (1, []) and "no service answered at 127.0.0.1:1" in errors


class Limited(RetrievalCalls):
    """Refuses batches of more than one request, and records the sizes of all batches."""

    def __init__(self, fault: RecsysError | None = None) -> None:
        self.fault = fault
        self.sizes: list[int] = []

    def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
        self.sizes.append(len(requests))
        if self.fault is not None and len(requests) > 1:
            raise self.fault
        return [Response((), each.space) for each in requests]


def test_lines_are_answered_in_batches_of_bounded_size() -> None:
    calls, line = Limited(), b'{"user_id": "ann", "k": 1}'
    assert len(list(answer_lines(calls, [line] * 7, {}, batch=3))) == 7
    assert calls.sizes == [3, 3, 1]
    calls, padding = Limited(), b" " * 1_200_000
    assert len(list(answer_lines(calls, [line + padding] * 3, {}))) == 3
    assert calls.sizes == [1, 1, 1]


def test_a_batch_is_answered_before_the_next_line_is_read() -> None:
    read = 0

    def lines() -> Iterator[bytes]:
        nonlocal read
        for _ in range(4):
            read += 1
            yield b'{"user_id": "ann", "k": 1}'

    answers = answer_lines(Limited(), lines(), {}, batch=1)
    next(answers)
    assert read == 1


def test_a_batch_that_is_refused_is_answered_one_by_one() -> None:
    calls, lines = Limited(InvalidRequestError("too large")), [b'{"user_id": "ann", "k": 1}'] * 3
    assert all("error" not in each for each in answer_lines(calls, lines, {}))
    assert calls.sizes == [3, 1, 1, 1]
    with pytest.raises(ServiceError, match="gone"):
        list(answer_lines(Limited(ServiceError("gone")), lines, {}))
