"""Work on a request that is no longer wanted ends at the next stage; other answers are the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from recsys.ids import Vectors
from recsys.retrieval import Query, Request, Response
from recsys.retrieval.budget import UNLIMITED, AbandonedError, Budget
from recsys.retrieval.retriever import Retriever
from tests.retrieval.world import make_world

REQUESTS = [
    Request(Query(history=["i03"], terms="7"), k=3),
    Request(Query(user_id="ann"), k=3, space="two_tower+text"),
    Request(Query(item_id="nowhere"), k=3),
    Request(Query(terms="20"), k=3, space="text"),
]


@dataclass
class Patience:
    """Wants the request at position 1 for a number of looks only."""

    looks: int
    seen: list[int] = field(default_factory=list)

    def is_wanted(self, position: int) -> bool:
        self.seen.append(position)
        return position != 1 or self.seen.count(1) <= self.looks


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return make_world().retriever()


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_request_ends_between_stages_without_an_effect_on_others(
    retriever: Retriever, looks: int
) -> None:
    patience = Patience(looks)
    expected = retriever.answer_in_columns(REQUESTS)
    found = retriever.answer_in_columns(REQUESTS, Budget(patience.is_wanted))
    assert isinstance(found[1], AbandonedError) and patience.seen.count(1) > looks
    for position in (0, 2, 3):
        one, other = found[position], expected[position]
        assert isinstance(one, Response) == isinstance(other, Response)
        assert str(one) == str(other)


def test_a_request_that_is_not_wanted_costs_nothing() -> None:
    world = make_world()
    found = world.retriever().answer_in_columns(REQUESTS, Budget(lambda position: False))
    assert [type(each).__name__ for each in found] == [
        *("AbandonedError", "AbandonedError", "UnknownIdError", "AbandonedError")
    ]
    assert world.tower.calls == world.words.calls == []


def test_a_search_of_many_rounds_ends_between_them(retriever: Retriever) -> None:
    searches: list[int] = []

    class Counted:
        """A space that counts the rounds."""

        def __init__(self) -> None:
            self.space = retriever.spaces["two_tower"]

        def __getattr__(self, name: str) -> object:
            return getattr(self.space, name)

        def __len__(self) -> int:
            return len(self.space)

        def search(self, queries: Vectors, k: int, **options: object) -> object:
            searches.append(k)
            return self.space.search(queries, k, **options)  # type: ignore[arg-type]

    counted = replace(retriever, spaces={**retriever.spaces, "two_tower": Counted()})
    request = Request(Query(item_id="i00"), k=8, crowding={"brand": 1})
    assert isinstance(counted.answer_in_columns([request], UNLIMITED)[0], Response)
    rounds = len(searches)
    assert rounds > 1
    searches.clear()
    budget = Budget(lambda position: not searches)
    assert isinstance(counted.answer_in_columns([request], budget)[0], AbandonedError)
    assert len(searches) == 1
