"""What every index must do: a subclass gives ``build``, and all of this runs against it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import DataError, InvalidRequestError
from recsys.ids import Rows, Vectors
from recsys.index import ExactIndex, Hits, Index, Liveness, RowSet, load_index
from recsys.index.arguments import Exclusions, SearchArguments
from recsys.index.rows import ALIVE

ITEMS, DIMENSION, K = 1_500, 12, 20


def made_vectors(items: int, *, seed: int, dimension: int = DIMENSION) -> Vectors:
    """Vectors around a few centres, as learned ones are; unit length."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((20, dimension))
    vectors = centres[rng.integers(20, size=items)] + 0.6 * rng.standard_normal((items, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def assert_same(got: Hits, expected: Hits) -> None:
    np.testing.assert_array_equal(got.valid, expected.valid)
    np.testing.assert_array_equal(got.rows, expected.rows)
    np.testing.assert_array_equal(got.scores, expected.scores)


def by_hand(vectors: Vectors, query: Vectors, k: int, eligible: Rows) -> Rows:
    """The answer by a full sort in float64, an independent way round."""
    scores = (vectors.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    return eligible[np.lexsort((eligible, -scores[eligible]))][:k]


class IndexContract(ABC):
    """``thorough`` says that the index looks at everything, so its answer must be the exact one."""

    thorough = True

    @classmethod
    @abstractmethod
    def build(cls, vectors: Vectors) -> Index: ...

    @pytest.fixture(scope="class")
    @classmethod
    def vectors(cls) -> Vectors:
        return made_vectors(ITEMS, seed=1)

    @pytest.fixture(scope="class")
    @classmethod
    def queries(cls) -> Vectors:
        return made_vectors(17, seed=2)

    @pytest.fixture(scope="class")
    @classmethod
    def index(cls, vectors: Vectors) -> Index:
        return cls.build(vectors)

    def test_says_how_large_it_is(self, index: Index) -> None:
        assert (len(index), index.dimension) == (ITEMS, DIMENSION)

    def test_best_first_with_exact_scores(
        self, index: Index, vectors: Vectors, queries: Vectors
    ) -> None:
        hits = index.search(queries, K)
        assert hits.rows.dtype == np.int32 and hits.scores.dtype == np.float32
        assert hits.rows.shape == hits.scores.shape == hits.valid.shape == (len(queries), K)
        assert hits.valid.all()
        for query, rows, scores in zip(queries, hits.rows, hits.scores):
            assert len(set(rows.tolist())) == K
            assert (np.diff(scores) <= 0).all()
            precise = vectors[rows].astype(np.float64) @ query.astype(np.float64)
            np.testing.assert_array_equal(scores, precise.astype(np.float32))

    def test_the_exact_answer(self, index: Index, vectors: Vectors, queries: Vectors) -> None:
        if not self.thorough:
            pytest.skip("this one does not look at everything; its recall is tested instead")
        everything = np.arange(ITEMS)
        for query, rows in zip(queries, index.search(queries, K).rows):
            np.testing.assert_array_equal(rows, by_hand(vectors, query, K, everything))

    def test_same_scores_as_the_exact_index(
        self, index: Index, vectors: Vectors, queries: Vectors
    ) -> None:
        truth = ExactIndex.of(vectors).search(queries, ITEMS)
        hits = index.search(queries, K)
        for position in range(len(queries)):
            known = dict(zip(truth.rows[position].tolist(), truth.scores[position].tolist()))
            rows, scores = hits.at(position)
            assert [known[row] for row in rows.tolist()] == scores.tolist()

    def test_a_batch_answers_as_each_query_alone(self, index: Index, queries: Vectors) -> None:
        rng = np.random.default_rng(3)
        exclude = [rng.choice(ITEMS, size, replace=False) for size in range(0, 170, 10)]
        allowed = RowSet.of_mask(rng.random(ITEMS) < 0.8)
        batch = index.search(queries, K, exclude=exclude, allowed=allowed)
        for position, query in enumerate(queries):
            alone = index.search(
                query[None], K, exclude=exclude[position : position + 1], allowed=allowed
            )
            for together, single in zip(batch.at(position), alone.at(0)):
                np.testing.assert_array_equal(together, single)

    def test_a_second_call_answers_the_same(self, index: Index, queries: Vectors) -> None:
        assert_same(index.search(queries, K), index.search(queries, K))

    def test_a_second_build_answers_the_same(
        self, index: Index, vectors: Vectors, queries: Vectors
    ) -> None:
        assert_same(self.build(vectors.copy()).search(queries, K), index.search(queries, K))

    def test_excluded_rows_do_not_come_and_leave_no_hole(
        self, index: Index, queries: Vectors
    ) -> None:
        best = index.search(queries, K)
        exclude = [best.at(position)[0] for position in range(len(queries))]
        hits = index.search(queries, K, exclude=exclude)
        assert hits.valid.all()
        for position, rows in enumerate(exclude):
            assert not set(rows.tolist()) & set(hits.rows[position].tolist())

    @pytest.mark.parametrize("remaining", [0, 1, 5])
    def test_exclusion_is_exact_when_fewer_than_k_remain(
        self, index: Index, queries: Vectors, remaining: int
    ) -> None:
        left = np.arange(700, 700 + remaining)
        exclude = [np.setdiff1d(np.arange(ITEMS), left)] * len(queries)
        hits = index.search(queries, K, exclude=exclude)
        assert (hits.valid.sum(axis=1) == remaining).all()
        assert set(hits.rows[hits.valid].tolist()) == set(left.tolist())

    def test_an_excluded_row_may_be_named_twice(self, index: Index, queries: Vectors) -> None:
        once = index.search(queries[:1], K, exclude=[np.array([3, 5])])
        assert_same(index.search(queries[:1], K, exclude=[np.array([5, 3, 5, 3])]), once)

    @pytest.mark.parametrize("share", [0.0, 0.002, 0.3, 0.9])
    def test_never_short_while_allowed_rows_exist(
        self, index: Index, queries: Vectors, share: float
    ) -> None:
        allowed = np.random.default_rng(4).random(ITEMS) < share
        hits = index.search(queries, K, allowed=RowSet.of_mask(allowed))
        assert (hits.valid.sum(axis=1) == min(K, int(allowed.sum()))).all()
        assert allowed[hits.rows[hits.valid]].all()

    def test_allowed_and_excluded_together(
        self, index: Index, vectors: Vectors, queries: Vectors
    ) -> None:
        allowed = RowSet.of_mask(np.random.default_rng(5).random(ITEMS) < 0.02)
        chosen = allowed.rows
        hits = index.search(queries, ITEMS, exclude=[chosen[::2]] * len(queries), allowed=allowed)
        for position, query in enumerate(queries):
            expected = by_hand(vectors, query, ITEMS, chosen[1::2])
            np.testing.assert_array_equal(hits.at(position)[0], expected)

    def test_k_above_the_number_of_rows_returns_all(self, index: Index, queries: Vectors) -> None:
        hits = index.search(queries, ITEMS + 7)
        assert hits.rows.shape == (len(queries), ITEMS + 7)
        assert (hits.valid.sum(axis=1) == ITEMS).all()
        for position in range(len(queries)):
            assert set(hits.at(position)[0].tolist()) == set(range(ITEMS))

    def test_padding_is_zero_and_not_valid(self, index: Index, queries: Vectors) -> None:
        hits = index.search(queries, ITEMS + 2)
        assert not hits.valid[:, ITEMS:].any()
        assert not hits.rows[:, ITEMS:].any() and not hits.scores[:, ITEMS:].any()
        assert np.isfinite(hits.scores).all()

    def test_a_query_of_zero_length_has_the_score_zero_with_every_row(self, index: Index) -> None:
        zero = np.zeros((1, DIMENSION), np.float32)
        hits = index.search(zero, K)
        assert hits.valid.all() and not hits.scores.any() and len(set(hits.rows[0].tolist())) == K
        if self.thorough:
            np.testing.assert_array_equal(hits.rows[0], np.arange(K))

    def test_an_empty_batch(self, index: Index) -> None:
        hits = index.search(np.empty((0, DIMENSION), np.float32), 3, exclude=[])
        assert hits.rows.shape == (0, 3) and len(hits) == 0

    @pytest.mark.parametrize("items", [1, 2, 16])
    def test_few_items(self, items: int) -> None:
        vectors = made_vectors(items, seed=6)
        hits = self.build(vectors).search(vectors[:1], 3)
        assert hits.valid.sum() == min(3, items) and hits.rows[0, 0] == 0

    @pytest.mark.parametrize("different", [1, 3])
    def test_equal_vectors_come_in_row_order(self, different: int) -> None:
        vectors = np.repeat(made_vectors(different, seed=7), ITEMS // different, axis=0)
        hits = self.build(vectors).search(vectors[:1], K)
        np.testing.assert_array_equal(hits.rows[0], np.arange(K))

    def test_row_zero_is_a_row_as_any_other(self, index: Index, vectors: Vectors) -> None:
        assert index.search(vectors[:1], 1).rows[0, 0] == 0
        assert 0 not in index.search(vectors[:1], ITEMS, exclude=[np.array([0])]).at(0)[0]

    def test_a_saved_index_answers_the_same(
        self, index: Index, vectors: Vectors, queries: Vectors, tmp_path: Path
    ) -> None:
        index.save(tmp_path / "index")
        loaded = load_index(tmp_path / "index", vectors)
        assert type(loaded) is type(index)
        assert loaded.config == index.config and loaded.facts == index.facts
        assert_same(loaded.search(queries, K), index.search(queries, K))

    def test_a_saved_index_can_be_moved_and_saved_again(
        self, index: Index, vectors: Vectors, queries: Vectors, tmp_path: Path
    ) -> None:
        index.save(tmp_path / "one")
        (tmp_path / "one").rename(tmp_path / "two")
        load_index(tmp_path / "two", vectors).save(tmp_path / "three")
        for path in (tmp_path / "two").rglob("*"):
            if path.is_file():
                again = tmp_path / "three" / path.relative_to(tmp_path / "two")
                assert path.read_bytes() == again.read_bytes(), path.name
                assert str(tmp_path).encode() not in path.read_bytes(), path.name
        loaded = load_index(tmp_path / "three", vectors)
        assert_same(loaded.search(queries, K), index.search(queries, K))

    def test_a_saved_index_refuses_other_vectors(
        self, index: Index, vectors: Vectors, tmp_path: Path
    ) -> None:
        index.save(tmp_path)
        with pytest.raises(
            DataError, match=r"over 1500 vectors of 12 dimensions; got \(1499, 12\)"
        ):
            load_index(tmp_path, vectors[:-1])
        with pytest.raises(DataError, match="other vectors of the same shape"):
            load_index(tmp_path, vectors[::-1])

    def test_nothing_saved_is_a_pickle(self, index: Index, tmp_path: Path) -> None:
        index.save(tmp_path)
        assert not [path for path in tmp_path.rglob("*") if path.suffix in (".pkl", ".pickle")]

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e30])
    def test_vectors_out_of_range_are_refused(self, wrong: float) -> None:
        vectors = made_vectors(30, seed=8)
        vectors[7, 2] = wrong
        with pytest.raises(DataError, match=r"must be finite and no longer than 1e\+18; row 7"):
            self.build(vectors)

    def test_many_long_queries_are_not_refused(self, index: Index, queries: Vectors) -> None:
        longest = queries / np.linalg.norm(queries, axis=1, keepdims=True) * np.float32(9e17)
        assert len(longest) > 1
        assert index.search(longest, K).valid.all()

    @pytest.mark.parametrize(
        ("vectors", "message"),
        [
            (np.zeros((3, 2)), "expected float32; got float64"),
            (np.zeros(3, np.float32), "expected an array of two dimensions"),
            (np.zeros((3, 0), np.float32), "expected an array of two dimensions"),
            (np.zeros((0, 3), np.float32), "at least one vector; none came"),
        ],
    )
    def test_other_arrays_are_refused(self, vectors: Vectors, message: str) -> None:
        with pytest.raises(DataError, match=message):
            self.build(vectors)

    @pytest.mark.parametrize("k", [0, -1, True, 2.5])
    def test_k_must_be_one_or_more(self, index: Index, queries: Vectors, k: int) -> None:
        with pytest.raises(InvalidRequestError, match="k must be a whole number") as caught:
            index.search(queries, k)
        assert caught.value.field == "k"

    def test_wrong_searches_are_refused(self, index: Index, queries: Vectors) -> None:
        bad = queries.copy()
        bad[3, 0] = np.nan
        one = queries[:1]
        for message, call in (
            ("must be finite", lambda: index.search(bad, K)),
            ("must have 12 dimensions, .*; got 5", lambda: index.search(queries[:, :5], K)),
            ("expected float32; got float64", lambda: index.search(queries.astype(float), K)),
            ("two dimensions", lambda: index.search(queries[0], K)),
            (
                "one list of rows per query; got 2 for 1",
                lambda: index.search(one, K, exclude=[[], []]),
            ),
            ("from 0 to 1499; got -1", lambda: index.search(one, K, exclude=[np.array([-1])])),
            ("from 0 to 1499; got 1500", lambda: index.search(one, K, exclude=[[2, ITEMS]])),
            ("a RowSet of 1500 rows", lambda: index.search(one, K, allowed=RowSet.all(3))),
            ("a RowSet of 1500 rows", lambda: index.search(one, K, allowed=np.ones(ITEMS, bool))),
            (r"effort must be from 0\.1 to 10; got 11", lambda: index.search(one, K, effort=11)),
            (r"effort must be", lambda: index.search(one, K, effort=float("nan"))),
        ):
            with pytest.raises(InvalidRequestError, match=message):
                call()

    def test_the_work_of_each_query_is_reported(self, index: Index, queries: Vectors) -> None:
        allowed = RowSet.of_rows(range(0, ITEMS, 3), ITEMS)
        work = index.search(queries, K, allowed=allowed).work
        for query in range(len(queries)):
            assert work.at(query).eligible == len(allowed) and work.at(query).plan != "none"
            assert work.at(query).depth >= K and K <= work.at(query).read <= ITEMS

    def test_rows_that_are_not_alive_do_not_come(
        self, index: Index, vectors: Vectors, queries: Vectors
    ) -> None:
        """The earlier version, in which they were alive, still has them."""
        died = np.full(ITEMS, ALIVE)
        best = index.search(queries, K).rows
        died[best[:, : K // 2].ravel()] = 5
        remaining = RowSet.of_mask(died == ALIVE)
        for version, expected in (
            (4, index.search(queries, K)),
            (5, index.search(queries, K, allowed=remaining)),
        ):
            alive = Liveness(died, version, int((died <= version).sum()))
            hits = Hits.empty(queries=len(queries), k=K)
            excluded = Exclusions.none(len(queries))
            index._search(hits, SearchArguments(queries, K, excluded, alive=alive))
            assert hits.valid.all() and not alive.hidden[hits.rows].any()
            if self.thorough:
                assert_same(hits, expected)

    def test_searches_at_the_same_time_do_not_disturb_each_other(
        self, index: Index, queries: Vectors
    ) -> None:
        expected = [index.search(query[None], K) for query in queries]
        with ThreadPoolExecutor(8) as pool:
            for _ in range(5):
                answers = pool.map(lambda query: index.search(query[None], K), queries)
                for got, wanted in zip(answers, expected):
                    assert_same(got, wanted)
