"""Queries of several items, of a raw vector, and of users that are unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recsys.errors import InvalidRequestError, UnknownIdError
from recsys.retrieval import TEXT, TWO_TOWER, Query, Request, Retriever, request_from_json
from tests.retrieval.world import make_world


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return make_world().retriever()


@pytest.mark.parametrize("space", [TWO_TOWER, TEXT])
def test_one_of_several_items_is_the_query_of_that_item(retriever: Retriever, space: str) -> None:
    one = retriever.retrieve(item_id="i06", k=9, space=space)
    assert retriever.retrieve(item_ids=["i06", "i06"], k=9, space=space) == one


def test_several_items_are_the_mean_of_their_directions(retriever: Retriever) -> None:
    space = retriever.spaces[TWO_TOWER]
    rows = retriever.catalogue.ids.rows(["i06", "i07", "i09"])
    vectors = space.vectors[rows].astype(np.float64)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    response = retriever.retrieve(item_ids=["i09", "i06", "i07"], k=60)
    scores = space.vectors @ units.sum(axis=0)
    best = [row for row in np.argsort(-scores, kind="stable") if row not in rows]
    assert response.ids == retriever.catalogue.ids.ids(np.array(best, np.int32))[:60]


def test_a_vector_is_compared_as_it_is(retriever: Retriever) -> None:
    space = retriever.spaces[TEXT]
    vector = np.arange(1, space.dimension + 1, dtype=np.float32) * 3
    response = retriever.retrieve(vector=vector.tolist(), k=5, space=TEXT)
    rows = retriever.catalogue.ids.rows(response.ids)
    assert [each.score for each in response.candidates] == pytest.approx(
        (space.vectors[rows] @ vector).tolist()
    )
    assert response.candidates[0].score == pytest.approx(
        float((space.vectors[space.mask[: len(space)]] @ vector).max())
    )


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"vector": []}, "got one of 0 numbers with length 0"),
        ({"vector": [0.0, 0.0]}, "with length 0"),
        ({"vector": [float("nan"), 1.0]}, "with length nan"),
        ({"vector": [1e300, 1.0]}, "with length inf"),
        ({"vector": ["1", 2]}, "must hold numbers"),
        ({"vector": 3.0}, "must be a sequence of numbers"),
        ({"vector": [1.0, 2.0], "space": "text+image"}, "names several; search one"),
        ({"vector": [1.0, 2.0], "item_id": "a"}, "item_id stands alone; leave out vector"),
        ({"item_ids": ["a"], "context": {"b": "c"}}, "item_ids stands alone; leave out context"),
        ({"item_ids": []}, "item_ids is empty"),
    ],
)
def test_wrong_items_and_vectors_are_refused(values: Any, fault: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Request.of(k=3, **values).check(10)
    assert fault in caught.value.message and caught.value.field.startswith("query.")


def test_a_vector_is_rounded_to_float32() -> None:
    query = Query(vector=[0.1, 1.0])
    assert query.vector == (float(np.float32(0.1)), 1.0)
    assert request_from_json({"vector": [0.1, 1], "k": 1}).query == query


def test_an_unknown_user_is_answered_as_configured(retriever: Retriever) -> None:
    with pytest.raises(UnknownIdError):
        retriever.retrieve(user_id="nobody", k=3)
    empty = replace(retriever, unknown_user="empty_history").retrieve(user_id="nobody", k=3)
    assert empty.candidates == retriever.retrieve(history=(), k=3).candidates
    assert empty.fallback == "empty_history" and "the user is unknown" in empty.notes[0]
    popular = replace(retriever, unknown_user="popularity")
    known = popular.retrieve(user_id="ann", k=3)
    assert known == retriever.retrieve(user_id="ann", k=3) and known.fallback is None


def test_popular_items_keep_the_filter_the_crowding_and_exclusions(retriever: Retriever) -> None:
    popular = replace(retriever, unknown_user="popularity", watermark=7)
    response = popular.retrieve(user_id="nobody", k=1_000, explain=True)
    counts = retriever.log.item_counts  # type: ignore[attr-defined]
    scores = [each.score for each in response.candidates]
    assert scores == sorted(counts.tolist(), reverse=True)[: len(scores)]
    assert (response.fallback, response.watermark) == ("popularity", 7)
    assert response.explanation is not None and response.explanation.spaces == ()
    first, second = response.ids[:2]
    options: Any = {"filter": "price >= 8", "crowding": {"brand": 1}, "exclude": [first]}
    some = popular.retrieve(user_id="nobody", k=1_000, **options)
    walked = retriever.retrieve(history=(), k=1_000, **options)
    assert len(some.ids) == len(walked.ids) and first not in some.ids and some.short
    terms = popular.retrieve(user_id="nobody", terms="12", k=3, space=TEXT)
    assert terms.candidates == retriever.retrieve(terms="12", k=3, space=TEXT).candidates
    assert terms.fallback == "empty_history" and second
