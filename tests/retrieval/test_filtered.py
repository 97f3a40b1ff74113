"""Requests with a filter."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from recsys.errors import InvalidRequestError, RecsysError
from recsys.ids import Vectors
from recsys.index import ExactIndex, RowSet
from recsys.retrieval import Query, ReciprocalRank, Request, Response, Retriever, WeightedSum
from recsys_client.filters import Contains, Eq, Exists, Range
from tests.retrieval.world import ITEMS, make_world

CHEAP = Range("price", lt=10)


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return make_world().retriever()


@pytest.mark.parametrize("space", ["two_tower", "text", "two_tower+text"])
@pytest.mark.parametrize("fusion", [ReciprocalRank(depth=60), WeightedSum()])
def test_the_answer_is_the_unfiltered_one_without_the_other_items(
    retriever: Retriever, space: str, fusion: ReciprocalRank | WeightedSum
) -> None:
    options: Any = {"space": space, "fusion": fusion if "+" in space else None}
    whole = retriever.retrieve(item_id="i12", k=40, **options)
    filter = ~Contains("tags", "even") & Range("price", ge=5)
    found = retriever.retrieve(item_id="i12", k=5, filter=filter, **options)
    expected = [id_ for id_ in whole.ids if int(id_[1:]) % 2 and id_ >= "i05"][:5]
    if isinstance(fusion, WeightedSum) or "+" not in space:
        assert found.ids == expected
    else:
        assert set(found.ids) <= set(ITEMS[5::2]), "ranks are those among eligible items"


def test_a_filter_that_no_item_passes_gives_an_empty_answer(retriever: Retriever) -> None:
    for options in ({}, {"space": "two_tower+text"}):
        answer = retriever.retrieve(
            user_id="ann", k=3, filter=Range("price", gt=100), explain=True, **options
        )
        assert answer.candidates == ()
        assert answer.short == (
            "0 of the 40 items are eligible, 3 were wanted; 40 do not match the filter"
        )
        assert answer.explanation is not None
        assert {each.eligible for each in answer.explanation.spaces} == {0}


def test_a_short_answer_names_filter_space_and_history(retriever: Retriever) -> None:
    answer = retriever.retrieve(user_id="ann", k=30, space="text", filter=CHEAP)
    assert answer.short == (
        "7 of the 40 items are eligible, 30 were wanted; 10 have no vector in space 'text' and 20 "
        "do not match the filter and 3 are excluded or were seen"
    )


def test_requests_are_grouped_by_space_k_and_filter(retriever: Retriever) -> None:
    searched: list[tuple[int, int, RowSet | None]] = []
    search = ExactIndex.search

    def counted(self: ExactIndex, queries: Vectors, k: int, **options: Any) -> Any:
        searched.append((len(queries), k, options["allowed"]))
        return search(self, queries, k, **options)

    filters = [CHEAP, None, Range("price", lt=10.0), Exists("brand"), CHEAP & CHEAP, None]
    requests = [Request(Query(item_id="i12"), 3, filter=filter) for filter in filters]
    with patch.object(ExactIndex, "search", counted):
        together = retriever.answer(requests)
        again = retriever.answer(requests[:1])
    assert [number for number, _, _ in searched] == [3, 2, 1, 1]
    assert searched[0][2] is searched[3][2], "an index keeps what it derives from the object"
    assert again == together[:1]
    assert together == [answer for each in requests for answer in retriever.answer([each])]


def test_a_space_combines_a_filter_with_its_own_items_once(retriever: Retriever) -> None:
    space = retriever.spaces["text"]
    allowed = RowSet.of_rows(np.array([1, 35]), 40)
    first = space._eligible(allowed)
    assert first is not None and first.rows.tolist() == [1]
    assert space._eligible(allowed) is first


def test_a_wrong_filter_does_not_harm_the_rest_of_a_batch(retriever: Retriever) -> None:
    wrong = Exists("brand") & Eq("prise", 3)
    query = Query(item_id="i12")
    one, other = retriever.answer([Request(query, 3, filter=wrong), Request(query, 3)])
    assert isinstance(one, InvalidRequestError) and one.field == "filter.and[1].eq.column"
    assert "did you mean 'price'" in one.message
    assert isinstance(other, Response)


def test_the_explanation_of_a_filtered_request(retriever: Retriever) -> None:
    answer = retriever.retrieve(
        item_id="i12", k=3, space="two_tower+text", filter=CHEAP & ~~CHEAP, explain=True
    )
    assert answer.explanation is not None
    assert answer.explanation.filter == "price < 10"
    for each, name in zip(answer.explanation.spaces, ("two_tower", "text")):
        assert (each.space, each.plan, each.eligible, each.rounds) == (name, "exact", 10, 1)
        assert each.expected_recall == 1
    assert retriever.retrieve(item_id="i12", k=3).explanation is None


@pytest.mark.parametrize("filter", [7, {"eq": {}}, True])
def test_values_that_are_no_filter(retriever: Retriever, filter: Any) -> None:
    with pytest.raises(RecsysError, match="filter must be a Filter of recsys_client.filters or"):
        retriever.retrieve(user_id="ann", k=3, filter=filter)


def test_a_text_is_parsed_by_the_request() -> None:
    text = Request.of(item_id="i12", k=3, filter='price < 10 and not brand = "b1"')
    assert text == Request.of(item_id="i12", k=3, filter=CHEAP & ~Eq("brand", "b1"))
    with pytest.raises(InvalidRequestError, match="price <") as caught:
        Request.of(item_id="i12", k=3, filter="price <")
    assert caught.value.field == "filter"
