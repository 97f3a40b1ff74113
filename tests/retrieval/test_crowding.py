"""At most m candidates per value of a column; ``test_fusion.py`` compares it with brute force."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest

from recsys.errors import InvalidRequestError
from recsys.index import ExactConfig, ExactIndex, ScannConfig
from recsys.retrieval import ReciprocalRank, Request, Retriever, Space, WeightedSum
from recsys.retrieval.crowding import Crowding
from recsys.retrieval.filters import CodedValues, Codes
from recsys.retrieval.fusion_search import FusionInput, search_spaces
from tests.retrieval.world import ITEMS, make_world

NONE = np.empty(0, np.int32)


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return make_world().retriever()


def values_of(codes: Codes) -> CodedValues:
    """A column with one value per item."""
    return CodedValues.of(np.arange(len(codes)), codes, items=len(codes))


def walked(ids: list[str], most: int, k: int) -> list[str]:
    """The answer by the definition: a walk down the whole list."""
    counts, taken = Counter[str](), list[str]()
    for item in ids:
        brand = item[1] if item < "i36" else item
        if counts[brand] < most:
            taken.append(item)
            counts[brand] += 1
    return taken[:k]


@pytest.mark.parametrize("k", [1, 3, 6, 7, 8, 40])
@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("fusion", [None, ReciprocalRank(depth=60), WeightedSum()])
def test_the_answer_is_that_of_a_walk_down_the_whole_list(
    retriever: Retriever, k: int, most: int, fusion: ReciprocalRank | WeightedSum | None
) -> None:
    space = "two_tower+text" if fusion else "two_tower"
    whole = retriever.retrieve(item_id="i12", k=40, space=space, fusion=fusion)
    crowded = retriever.retrieve(
        item_id="i12", k=k, space=space, fusion=fusion, crowding={"brand": most}
    )
    assert crowded.ids == walked(whole.ids, most, k)
    scores = {each.id: each.score for each in whole.candidates}
    assert [each.score for each in crowded.candidates] == [scores[id_] for id_ in crowded.ids]


def test_an_item_counts_for_each_of_its_values(retriever: Retriever) -> None:
    answer = retriever.retrieve(item_id="i02", k=40, crowding={"tags": 2})
    assert set(answer.ids[:4]) == {"i01", "i03", "i05", "i39"}, "i00 and i04 are new, too"
    assert {id_ for id_ in answer.ids if int(id_[1:]) % 2 == 0} == {"i06", "i38"}
    assert set(ITEMS[5::2]) <= set(answer.ids), "items without a value are not limited"


def test_a_short_answer_names_the_limit(retriever: Retriever) -> None:
    answer = retriever.retrieve(user_id="ann", k=10, crowding={"brand": 1})
    assert len(answer.ids) == 8
    assert answer.short == (
        "37 of the 40 items are eligible, 10 were wanted; 3 are excluded or were seen; crowding "
        "leaves 8 of them, at most 1 per value of 'brand'"
    )


def test_a_dominant_value_is_excluded_and_not_walked_through() -> None:
    """All but 30 of 20,000 items have one value, and they are the nearest to the query."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((20_000, 4)).astype(np.float32)
    query, read = np.array([1, 0, 0, 0], np.float32), list[int]()
    farthest = np.argsort(vectors @ query)[:30]
    codes = np.zeros(len(vectors), np.int32)
    codes[farthest] = np.arange(1, 31)
    search = ExactIndex.search

    def counted(self: ExactIndex, queries, k, **options):  # type: ignore[no-untyped-def]
        read.append(k)
        return search(self, queries, k, **options)

    crowding = Crowding(((values_of(codes), 1),))
    wanted = FusionInput({"s": query}, NONE, 20, WeightedSum(), crowding=crowding)
    with patch.object(ExactIndex, "search", counted):
        (found,) = search_spaces({"s": Space.two_tower(vectors, ExactConfig())}, [wanted])
    assert found.rows.tolist() == [np.argmax(vectors @ query), *farthest[:-20:-1]]
    assert sum(read) < 5_000


def test_recall_over_an_approximate_index() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((3_000, 16)).astype(np.float32)
    queries = rng.standard_normal((50, 16)).astype(np.float32)
    config = ScannConfig(brute_force_below=16, target_recall=0.95)
    crowding = Crowding(((values_of(np.arange(len(vectors)) % 7), 2),))
    inputs = [
        FusionInput({"s": query}, NONE, 10, WeightedSum(), crowding=crowding) for query in queries
    ]
    exact = search_spaces({"s": Space.two_tower(vectors, ExactConfig())}, inputs)
    found = search_spaces({"s": Space.two_tower(vectors, config, queries=queries)}, inputs)
    shares = [np.isin(one.rows, other.rows).mean() for one, other in zip(exact, found)]
    assert np.mean(shares) > 0.93


@pytest.mark.parametrize(
    ("crowding", "field", "message"),
    [
        ({"brnad": 2}, "crowding.brnad", "no column 'brnad'; did you mean 'brand'"),
        ({"title": 2}, "crowding.title", "column 'title' is not one that filters read"),
        ({"brand": 0}, "crowding.brand", "from 1 to 10,000; got 0 for 'brand'"),
        ({"brand": True}, "crowding.brand", "whole number"),
        ({"brand": 1.5}, "crowding.brand", "whole number"),
        ({"": 1}, "crowding", "non-empty strings"),
        ({7: 1}, "crowding", "non-empty strings"),
        (["brand"], "crowding", "must map names of columns"),
        ({f"c{n}": 1 for n in range(9)}, "crowding", "9 columns; at most 8"),
    ],
)
def test_refusals(retriever: Retriever, crowding: object, field: str, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        retriever.retrieve(user_id="ann", k=3, crowding=crowding)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_integers_of_numpy_are_whole_numbers() -> None:
    request = Request.of(user_id="ann", k=3, crowding={"brand": np.int64(2)})  # type: ignore[dict-item]
    assert type(request.crowding["brand"]) is int


@pytest.mark.parametrize("effort", [0.05, 10.5, np.nan, "2", True, None])
def test_efforts_out_of_range(retriever: Retriever, effort: object) -> None:
    with pytest.raises(InvalidRequestError, match="effort must be a number from 0.1 to 10"):
        retriever.retrieve(user_id="ann", k=3, effort=effort)  # type: ignore[arg-type]
