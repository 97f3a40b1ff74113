"""Calls of retrieval, whose outcomes are the same in-process and over gRPC.

This file imports nothing but ``recsys_client``: ``python calls_contract.py HOST:PORT`` makes the
calls in an environment that has nothing else, and prints the outcomes as JSON. The requests fit the
retriever of ``tests/retrieval/world.py``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from itertools import product
from typing import Any

from recsys_client import (
    IMAGE,
    TEXT,
    TWO_TOWER,
    Query,
    ReciprocalRank,
    RecsysError,
    Request,
    Response,
    RetrievalCalls,
    WeightedSum,
)
from recsys_client.filters import Contains, Eq, Exists, In, Range

Outcome = dict[str, Any]
QUERIES = [
    Query(user_id="ann"),
    Query(user_id="eve"),
    Query(user_id="nobody"),
    Query(history=()),
    Query(history=("i07",)),
    Query(history=("i03", "gone", "i09", "i09")),
    Query(history=("gone",)),
    Query(history=("i39", "i00")),
    Query(terms="12"),
    Query(terms="a word it does not know"),
    Query(terms=" "),
    Query(user_id="bob", terms="31"),
    Query(history=("i20",), terms="unheard of"),
    Query(item_id="i06"),
    Query(item_id="i35"),
    Query(item_id="gone"),
    Query(item_id="i06", terms="12"),
    Query(user_id="ann", history=("i01",)),
    Query(),
    Query(image=b"12"),
    Query(image=b"a picture it cannot read"),
    Query(image=b""),
    Query(image=b"12", terms="20"),
    Query(image=b"12", user_id="ann"),
    Query(image=b"12", item_id="i06"),
    Query(item_ids=("i06", "i09", "i06")),
    Query(item_ids=("i35",)),
    Query(item_ids=("i06", "gone")),
    Query(item_ids=()),
    Query(item_ids=("i06",), item_id="i06"),
    Query(vector=(0.5, -0.25)),
    Query(vector=(1.0, 0.1, 3.0)),
    Query(vector=(1.0, 0.0), terms="12"),
]
FUSED = [
    Query(terms="10", image=b"14"),
    Query(user_id="ann", terms="10", image=b"14"),
    Query(history=("i03", "gone"), terms="unheard of"),
    Query(item_id="i10"),
    Query(item_id="i35"),
    Query(item_ids=("i10", "i35")),
    Query(vector=(0.5, -0.25)),
    Query(image=b"?", terms="10"),
    Query(image=b"14"),
]
FUSIONS = [
    None,
    ReciprocalRank(7, 3, {"text": 0.25}),
    WeightedSum({"text": 2, "image": 0.1}),
    WeightedSum({"two_tower": 3}),
]
OPTIONS = [
    {"k": 1},
    {"k": 10},
    {"k": 1_000},
    {"k": 5, "exclude": ("i08", "i10", "gone"), "seen": "include"},
    {"k": 5, "unknown_history": "raise", "titles": True},
]
REQUESTS = [
    Request(query, space=space, **options)  # type: ignore[arg-type]
    for query, space, options in product(QUERIES, (TWO_TOWER, TEXT, IMAGE, "mood"), OPTIONS)
] + [
    Request(query, k, space, fusion=fusion)
    for query, k, space, fusion in product(
        FUSED, (3, 60), ("text+image", "two_tower+text+image", "two_tower+text", "text"), FUSIONS
    )
]

FILTERED = [
    Request(query, k, space, filter=filter, crowding=crowding, effort=effort, explain=explain)
    for query, space in (
        (Query(user_id="ann"), TWO_TOWER),
        (Query(history=("i03", "gone"), terms="10"), "two_tower+text"),
        (Query(terms="10", image=b"14"), "text+image"),
    )
    for k, filter, crowding, effort, explain in (
        (3, None, {"brand": 1}, 1.0, False),
        (7, None, {"brand": 1}, 0.5, True),
        (30, None, {"brand": 2, "tags": 3}, 10.0, True),
        (3, None, {"shop": 2}, 1.0, False),
        (3, None, {}, 11.0, False),
        (3, None, {}, 2.0, True),
        (3, Range("price", ge=8), {}, 1.0, False),
        (7, Range("price", ge=8), {"brand": 1}, 1.0, True),
        (9, Contains("tags", "even") & ~In("brand", ["b0", "b1"]), {}, 1.0, True),
        (3, Range("price", gt=100), {}, 1.0, True),
        (3, Exists("brand") & Eq("shop", "x"), {}, 1.0, False),
        (3, Eq("price", "x") | Exists("brand"), {}, 1.0, False),
    )
]
REQUESTS += FILTERED

FEW = slice(None, None, 7)
"""The requests of the calls that are made less often."""


def outcome(answer: Response | RecsysError) -> Outcome:
    """A response or an error as JSON."""
    if isinstance(answer, RecsysError):
        kind = type(answer).__name__
        return {"error": [kind, answer.code, answer.message, answer.field]}
    found: Outcome = json.loads(json.dumps(asdict(answer)))
    return found


def outcomes(calls: RetrievalCalls) -> dict[str, list[Outcome]]:
    """Outcomes of the requests by each call; ``retrieve`` and ``retrieve_batch`` answer ``FEW``."""
    few = REQUESTS[FEW]
    return {
        "respond": [_made(calls.respond, request) for request in REQUESTS],
        "answer": [*_answered(calls, ()), *_answered(calls, REQUESTS)],
        "retrieve": [_made(calls.retrieve, **_fields(request)) for request in few],
        "retrieve_batch": [
            outcome(calls.retrieve_batch([request.query], **_options(request))[0])
            for request in few
        ],
    }


def check(found: dict[str, list[Outcome]], alone: Sequence[Outcome]) -> None:
    """Compare the outcomes with those of the requests answered one by one in-process."""
    expected = dict.fromkeys(("respond", "answer"), alone)
    expected |= dict.fromkeys(("retrieve", "retrieve_batch"), alone[FEW])
    assert found.keys() == expected.keys()
    for call, each in expected.items():
        assert len(found[call]) == len(each)
        for one, other in zip(found[call], each):
            assert one == other, f"{call} differs"


def _made(call: Callable[..., Response], *arguments: Any, **options: Any) -> Outcome:
    try:
        return outcome(call(*arguments, **options))
    except RecsysError as error:
        return outcome(error)


def _answered(calls: RetrievalCalls, requests: Sequence[Request]) -> list[Outcome]:
    return [outcome(answer) for answer in calls.answer(requests)]


def _options(request: Request) -> Any:
    return {
        each.name: getattr(request, each.name) for each in fields(request) if each.name != "query"
    }


def _fields(request: Request) -> Any:
    query = {each.name: getattr(request.query, each.name) for each in fields(request.query)}
    return query | _options(request)


def main(address: str) -> None:
    """Make the calls to the service; print their outcomes and the top-level modules imported."""
    from recsys_client import RecsysClient

    with RecsysClient(address, timeout=200) as client:
        found = outcomes(client)
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps({"outcomes": found, "modules": modules}))


if __name__ == "__main__":
    main(sys.argv[1])
