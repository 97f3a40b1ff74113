"""The baselines: the contract, and similarities worked by hand."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from recsys.errors import InvalidRequestError
from recsys.evaluation import (
    ItemKnnScorer,
    PopularityScorer,
    RandomScorer,
    SumScorer,
    VectorScorer,
    evaluate_queries,
    tune_item_knn,
)
from recsys.splits import HeldOutQueries, LeaveLastOutConfig, split
from tests.contracts.scorer_contract import ScorerContract
from tests.splits.logs import log

# a: ann bob cid | b: ann bob | c: ann | d: cid | e: no user
TRAIN = log(
    {
        "ann": [("a", 1), ("b", 2), ("c", 3), ("a", 4)],
        "bob": [("a", 1), ("b", 2)],
        "cid": [("a", 1), ("d", 2)],
    },
    items="abcde",
)
QUERIES = HeldOutQueries.of(
    user=[0, 1, 2], histories=[[0, 1, 2], [], [3, 3]], targets=[[3], [4], [1]]
)


class _Contract(ScorerContract):
    @pytest.fixture
    def queries(self) -> HeldOutQueries:
        return QUERIES


class TestRandom(_Contract):
    @pytest.fixture
    def scorer(self) -> RandomScorer:
        return RandomScorer(items=5, seed=3)


class TestPopularity(_Contract):
    @pytest.fixture
    def scorer(self) -> PopularityScorer:
        return PopularityScorer(TRAIN)


class TestItemKnn(_Contract):
    @pytest.fixture
    def scorer(self) -> ItemKnnScorer:
        return ItemKnnScorer(TRAIN)


class TestVectors(_Contract):
    @pytest.fixture
    def scorer(self) -> VectorScorer:
        items = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
        return VectorScorer("vectors", items, lambda queries: items[queries.user])


class TestSum(_Contract):
    @pytest.fixture
    def scorer(self) -> SumScorer:
        return SumScorer("sum", (ItemKnnScorer(TRAIN), PopularityScorer(TRAIN)), (2.0, 0.5))

    def test_a_sum_is_weighted_and_masks_each_part(self, scorer, queries) -> None:
        parts = [part.score(queries) for part in scorer.parts]
        np.testing.assert_allclose(scorer.score(queries), 2 * parts[0] + 0.5 * parts[1], rtol=1e-6)
        table = np.array([[0, -np.inf, 1]], np.float32)
        hidden = VectorScorer("hides", table.T, lambda some: np.ones((len(some), 1), np.float32))
        shown = VectorScorer("shows", -np.ones((3, 1), np.float32), hidden.encode)
        found = SumScorer("both", (hidden, shown), (1.0, 1.0)).score(queries)
        assert found[0].tolist() == [-1, -np.inf, 0]

    def test_weights_are_one_a_part_and_above_0(self) -> None:
        part = PopularityScorer(TRAIN)
        for parts, weights in (((part,), (1.0, 2.0)), ((), ()), ((part,), (0.0,))):
            with pytest.raises(InvalidRequestError, match="needs as many weights"):
                SumScorer("sum", parts, weights)
        with pytest.raises(InvalidRequestError, match=r"got \[inf\]"):
            SumScorer("sum", (part,), (float("inf"),))


def test_random_has_the_expected_recall() -> None:
    size, items = 4000, 50
    queries = HeldOutQueries.of(
        user=list(range(size)), histories=[[1]] * size, targets=[[0]] * size
    )
    every = np.ones(items, np.bool_)
    result = evaluate_queries(
        RandomScorer(items),
        queries,
        candidates=every,
        item_counts=np.ones(items, int),
        ks=(10,),
    )
    # One of 49 that are left, 10 places: 0.204, standard error sqrt(0.2 * 0.8 / 4000) = 0.0063.
    assert abs(result.figures["recall@10"] - 10 / 49) < 3 * 0.0063
    other = RandomScorer(items, seed=1).score(queries)
    assert not np.array_equal(other, RandomScorer(items).score(queries))


def test_popularity_scores_by_count() -> None:
    assert PopularityScorer(TRAIN).score(QUERIES)[1].tolist() == [4, 2, 1, 1, 0]


def test_item_knn_sums_cosines_of_binary_columns() -> None:
    scores = ItemKnnScorer(TRAIN).score(QUERIES)
    # Users: a 3 (repeats count once), b 2, c 1, d 1. Both: ab 2, ac 1, ad 1, bc 1.
    # History a, b, c:
    ab, ac, ad, bc = 2 / sqrt(3 * 2), 1 / sqrt(3 * 1), 1 / sqrt(3 * 1), 1 / sqrt(2 * 1)
    np.testing.assert_allclose(scores[0], [ab + ac, ab + bc, ac + bc, ad, -1 / 1], rtol=1e-6)
    # History d, d: d counts once; what a neighbour does not speak for follows by popularity.
    np.testing.assert_allclose(scores[2], [ad, -1 / 3, -1 / 2, -1 / 2, -1 / 1], rtol=1e-6)
    # No history at all: popularity.
    assert np.argsort(-scores[1], kind="stable").tolist() == [0, 1, 2, 3, 4]


def test_item_knn_shrinks_rare_pairs() -> None:
    scores = ItemKnnScorer(TRAIN, shrinkage=10).score(QUERIES)
    assert scores[2][0] == pytest.approx(1 / (sqrt(3 * 1) + 10))


def test_item_knn_keeps_the_nearest_neighbours_of_each_item() -> None:
    scores = ItemKnnScorer(TRAIN, neighbours=1).score(QUERIES)
    # Nearest: a -> b (0.82; c and d 0.58), b -> a (0.82; c 0.71), c -> b (0.71; a 0.58), d -> a.
    ab, bc, ad = 2 / sqrt(6), 1 / sqrt(2), 1 / sqrt(3)
    np.testing.assert_allclose(scores[0], [ab, ab, bc, ad, -1], rtol=1e-6)


def test_item_knn_is_the_same_whatever_the_blocks() -> None:
    from recsys.evaluation.baselines import _similarity

    rng = np.random.default_rng(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    train = log(
        {
            f"u{u}": [(item, t) for t, item in enumerate(rng.permutation(list(letters))[:8])]
            for u in range(60)
        },
        items=letters,
    )
    whole = _similarity(train, 5, 2.0).toarray()
    assert ((whole > 0).sum(axis=0) <= 5).all() and whole.any()
    np.testing.assert_array_equal(whole, _similarity(train, 5, 2.0, block=7).toarray())


def test_item_knn_can_listen_to_the_latest_items_only() -> None:
    scores = ItemKnnScorer(TRAIN, last=1).score(QUERIES)
    # History a, b, c: only c speaks, for a and b.
    np.testing.assert_allclose(scores[0], [1 / sqrt(3), 1 / sqrt(2), -1 / 2, -1 / 2, -1], rtol=1e-6)


def test_item_knn_narrowed_equals_one_that_was_learned_so() -> None:
    narrowed = ItemKnnScorer(TRAIN, shrinkage=1).narrowed(neighbours=1, last=2)
    learned = ItemKnnScorer(TRAIN, shrinkage=1, neighbours=1, last=2)
    np.testing.assert_array_equal(narrowed.score(QUERIES), learned.score(QUERIES))


@pytest.mark.parametrize("bad", [{"neighbours": 0}, {"shrinkage": -1}, {"last": 0}])
def test_item_knn_refuses_invalid_settings(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidRequestError, match="neighbours and last must be 1 or more"):
        ItemKnnScorer(TRAIN, **bad)


def test_in_a_checkerboard_item_knn_finds_the_items_of_the_same_colour() -> None:
    """Even users meet even items, odd users odd ones; each leaves one of its colour out."""
    letters = "abcdefghijkl"
    lines = {}
    for user in range(12):
        own = [item for item in letters if (ord(item) - ord("a") - user) % 2 == 0]
        turned = own[user // 2 :] + own[: user // 2]  # a different item is last for each user
        lines[f"u{user}"] = [(item, at) for at, item in enumerate(turned)]
    parts = split(log(lines, items=letters), LeaveLastOutConfig())
    scorer = ItemKnnScorer(parts.train)
    result = evaluate_queries(
        scorer,
        parts.test,
        candidates=parts.candidates,
        item_counts=parts.train.item_counts,
        ks=(1, 10),
    )
    assert result.figures["recall@1"] == 1.0


def test_tuning_selects_the_best_on_validation_and_lists_all_trials() -> None:
    letters = "abcdefghijkl"
    rng = np.random.default_rng(1)
    lines = {
        f"u{u}": [(item, at) for at, item in enumerate(rng.permutation(list(letters))[:6])]
        for u in range(40)
    }
    parts = split(log(lines, items=letters), LeaveLastOutConfig())
    best, tried = tune_item_knn(
        parts.train,
        parts.validation,
        candidates=parts.candidates,
        k=2,
        neighbours=(1, 5),
        shrinkage=(0.0, 20.0),
    )
    assert len(tried) == 2 * 2 + 3
    top = max(tried, key=lambda row: row["recall@2"])
    assert (best.neighbours, best.shrinkage, best.last) == (
        top["neighbours"],
        top["shrinkage"],
        top["last"],
    )
