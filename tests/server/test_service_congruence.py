"""Same call, same answer: a real retriever in-process and over gRPC, compared record by record."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from recsys.errors import RecsysError
from recsys.retrieval import (
    IMAGE,
    TEXT,
    TWO_TOWER,
    Query,
    ReciprocalRank,
    Request,
    Response,
    Retriever,
    WeightedSum,
)
from recsys_client import RecsysClient
from tests.retrieval.world import make_world
from tests.server.service_world import served

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
]
FUSED = [
    Query(terms="10", image=b"14"),
    Query(user_id="ann", terms="10", image=b"14"),
    Query(history=("i03", "gone"), terms="unheard of"),
    Query(item_id="i10"),
    Query(item_id="i35"),
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
    {"k": 0},
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


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return make_world().retriever()


@pytest.fixture(scope="module")
def client(retriever: Retriever) -> Iterator[RecsysClient]:
    with served(retriever) as running, RecsysClient(running.address) as client:
        yield client


def same(remote: Response | RecsysError, local: Response | RecsysError) -> bool:
    """Whether an answer or error from the service is the one given in-process."""
    if isinstance(local, RecsysError):
        return isinstance(remote, type(local)) and (remote.message, remote.field) == (
            local.message,
            local.field,
        )
    return remote == local


def test_each_call_is_answered_as_in_process(client: RecsysClient, retriever: Retriever) -> None:
    kinds = set()
    for request in REQUESTS:
        local = retriever.answer([request])[0]
        kinds.add(type(local).__name__)
        try:
            remote: Response | RecsysError = client.respond(request)
        except RecsysError as error:
            remote = error
        assert same(remote, local), request
    assert kinds == {"Response", "InvalidRequestError", "UnknownIdError", "NotFoundError"}


def test_each_batch_is_answered_as_in_process(client: RecsysClient, retriever: Retriever) -> None:
    local = retriever.answer(REQUESTS)
    remote = [
        answer
        for start in range(0, len(REQUESTS), 100)
        for answer in client.answer(REQUESTS[start : start + 100])
    ]
    assert len(remote) == len(local)
    for request, one, other in zip(REQUESTS, remote, local):
        assert same(one, other), request
