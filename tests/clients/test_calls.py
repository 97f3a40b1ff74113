"""Same call, same outcome, in-process and over gRPC."""

from __future__ import annotations

import pytest

from recsys.retrieval import Retriever
from recsys_client import RecsysClient, RetrievalCalls
from tests.contracts.calls_contract import REQUESTS, Outcome, check, outcome, outcomes
from tests.retrieval.world import make_world
from tests.server.service_world import WAIT, served


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return make_world().retriever()


@pytest.fixture(scope="module")
def alone(retriever: Retriever) -> list[Outcome]:
    """Outcome of each request, answered in-process and by itself."""
    return [outcome(retriever.answer([request])[0]) for request in REQUESTS]


def test_the_requests_have_answers_and_every_kind_of_error(alone: list[Outcome]) -> None:
    kinds = {found.get("error", ["Response"])[0] for found in alone}
    assert kinds == {"Response", "InvalidRequestError", "UnknownIdError", "NotFoundError"}


def test_calls_in_process(retriever: Retriever, alone: list[Outcome]) -> None:
    calls: RetrievalCalls = retriever
    check(outcomes(calls), alone)


def test_calls_over_grpc(retriever: Retriever, alone: list[Outcome]) -> None:
    with served(retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        calls: RetrievalCalls = client
        check(outcomes(calls), alone)


def test_an_implementation_without_answers_cannot_be_made() -> None:
    class Incomplete(RetrievalCalls):
        pass

    with pytest.raises(TypeError, match="answer"):
        Incomplete()  # type: ignore[abstract]
