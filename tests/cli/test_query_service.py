"""``recsys query --address``: what it prints, errors on standard error, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from recsys.cli import main
from recsys.errors import RecsysError
from recsys.retrieval import Query, Retriever, request_to_json, response_to_json
from tests.contracts.calls_contract import FILTERED
from tests.retrieval.world import make_world
from tests.server.service_world import LineRetriever, served

RETRIEVER = LineRetriever()
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(RETRIEVER) as running:
        yield running.address


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], address: str) -> Run:
    """Runs ``recsys query`` against the service; exit code, standard output and error."""

    def run(*options: str, to: str = address) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["query", "--address", to, "--timeout", "200", *options])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_candidates_are_printed_as_a_table(run: Run) -> None:
    code, out, err = run("--history", "item-05", "--k", "2")
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines() if "item-" in line] == [
        ["1", "item-04", "-0.2500", "Item", "number", "4"],
        ["2", "item-06", "-0.2500"],
    ]


def test_json_holds_the_whole_response(run: Run) -> None:
    options = ["--history", "gone,item-05", "--k", "1", "--space", "text", "--exclude", "item-04"]
    assert json.loads(run(*options, "--json")[1]) == {
        "bundle_version": "v7",
        "space": "text",
        "candidates": [{"item_id": "item-06", "score": -0.25, "rank": 1}],
        "unknown_history_ids": ["gone"],
        "short_reason": None,
        "unknown_exclude_ids": [],
        "unread_terms": None,
        "watermark": 0,
        "fallback": None,
    }


def test_notes_name_parts_without_effect(run: Run) -> None:
    code, _, err = run("--history", "gone", "--terms", "zzz", "--k", "50", "--exclude", "never")
    assert code == 0
    assert err.splitlines() == [
        "note: only 40 items are left",
        "note: unknown ids in the history were skipped: gone",
        "note: unknown ids to exclude had no effect: never",
        "note: the text encoder knows no word of 'zzz'",
    ]


def test_every_part_of_a_query_reaches_the_service(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(b"any bytes")
    timed = ["--history", "item-01,item-02", "--history-times", "5,9", "--context", "land=de"]
    for options, query in (
        (["--user", "ann", "--terms", "red lamp"], Query(user_id="ann", terms="red lamp")),
        (["--history", ""], Query(history=())),
        (["--item", "item-01"], Query(item_id="item-01")),
        (["--image", str(picture)], Query(image=b"any bytes")),
        (
            timed,
            Query(history=("item-01", "item-02"), history_times=(5, 9), context={"land": "de"}),
        ),
    ):
        assert run(*options)[0] == 0
        assert RETRIEVER.calls[-1] == query


def test_a_fusion_reaches_the_service_and_its_parts_come_back(run: Run) -> None:
    with served(make_world().retriever()) as running:
        options = ["--item", "i10", "--space", "two_tower+text", "--k", "1"]
        _, out, _ = run(*options, "--fusion", "sum", to=running.address)
        assert out.split()[-7:] == ["1", "i09", "1.9754", "0.9877", "0.9877", "Item", "9"]
        weights = ["--weight", "text=0", "--weight", "two_tower=2", "--json"]
        (found,) = json.loads(run(*options, *weights, to=running.address)[1])["candidates"]
        assert found["score"] == pytest.approx(2 / 61)
        assert set(found["parts"]) == {"two_tower", "text"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--user", "nobody"], "error: unknown user id 'nobody' (unknown_id)"),
        (
            ["--user", "ann", "--k", "0"],
            "k must be from 1 to the limit of the service (1,000 by default); got 0",
        ),
        (["--user", "ann", "--seen", "maybe"], "seen must be 'exclude' or 'include'"),
        (["--user", "ann", "--weight", "text"], "a weight must be SPACE=NUMBER"),
        (["--user", "ann", "--fusion", "max"], "fusion must be 'rrf'"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(run: Run, options: list[str], message: str) -> None:
    code, out, err = run(*options)
    assert (code, out) == (1, "")
    assert message in err and err.count("\n") == 1


def test_without_a_service_the_exit_code_is_1(run: Run) -> None:
    code, _, err = run("--user", "ann", to="127.0.0.1:1")
    assert code == 1
    assert "no service answered at 127.0.0.1:1" in err


@pytest.mark.parametrize(
    "options", [["--k", "many"], ["--history-times", "soon"], ["--context", "land"]]
)
def test_wrong_options_are_exit_code_2(run: Run, options: list[str]) -> None:
    assert run("--user", "ann", *options)[0] == 2


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Retriever, str]]:
    retriever = make_world().retriever()
    with served(retriever) as running:
        yield retriever, running.address


def test_filters_and_limits_are_answered_as_in_process(
    run: Run, world: tuple[Retriever, str], tmp_path: Path
) -> None:
    retriever, address = world
    file = tmp_path / "requests.jsonl"
    file.write_text("\n".join(json.dumps(request_to_json(each)) for each in FILTERED))
    lines = run("--requests", str(file), "--no-titles", to=address)[1].splitlines()
    assert len(lines) == len(FILTERED)
    for line, answer in zip(lines, retriever.answer(FILTERED)):
        printed = json.loads(line)
        if isinstance(answer, RecsysError):
            assert printed["error"]["message"] == answer.message
        else:
            assert printed == json.loads(json.dumps(response_to_json(answer)))


def test_an_explanation_is_printed_below_the_candidates(
    run: Run, world: tuple[Retriever, str]
) -> None:
    options = ["--user", "ann", "--k", "2", "--filter", "price < 9 and price < 9", "--explain"]
    code, out, err = run(*options, "--at-most", "brand=2", to=world[1])
    assert (code, err) == (0, "")
    (line,) = [line.split() for line in out.splitlines() if "two_tower" in line]
    assert (line[:4], line[-2:]) == (["two_tower", "exact", "9", "0"], ["1.000", "1"])
    assert "filter: price < 9" in out.splitlines()


def test_a_service_is_described_as_its_retriever(capsys: pytest.CaptureFixture[str]) -> None:
    retriever = make_world().retriever()

    def described(*options: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["describe", "--address", running.address, "--timeout", "200", *options])
        assert not ended.value.code
        return capsys.readouterr().out

    with served(retriever) as running:
        found, table = json.loads(described("--json")), described()
    own = json.loads(json.dumps(asdict(retriever.describe())))
    for name in ("spaces", "columns", "context", "items", "users", "watermark"):
        assert found[name] == own[name]
    price = next(line.split() for line in table.splitlines() if line.split()[:1] == ["price"])
    assert price == ["price", "number", "40", "0.0,", "39.0"]
    assert "new items cannot be added: the service runs without a store" in table
