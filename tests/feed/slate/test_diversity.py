"""Diversified orders: permutations, the ends of the strength, and the definition of MMR."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import ConfigError, DataError
from recsys.feed.slate import Diversity, diversify
from recsys.ids import Vectors

METHODS = ("mmr", "msd", "dpp", "ssd")


def candidates(seed: int, n: int, dimension: int = 4) -> tuple[Vectors, Vectors]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, dimension)).astype(np.float32)
    vectors[rng.random(n) < 0.2] = 0
    return np.round(rng.random(n), 1).astype(np.float32), vectors


@given(
    seed=st.integers(0, 2**32),
    n=st.integers(0, 30),
    k=st.integers(0, 40),
    method=st.sampled_from(METHODS),
    strength=st.floats(0, 1),
)
def test_every_candidate_is_in_the_order_once(
    seed: int, n: int, k: int, method: str, strength: float
) -> None:
    scores, vectors = candidates(seed, n)
    order = diversify(scores, vectors, k, Diversity(method, strength))  # type: ignore[arg-type]
    assert sorted(order.tolist()) == list(range(n))
    if n:
        assert scores[order[0]] == scores.max()
    picked = min(k, n)  # the rest is ordered by score
    assert (np.diff(scores[order[picked:]]) <= 0).all()


@given(seed=st.integers(0, 2**32), method=st.sampled_from(METHODS))
def test_strength_0_is_the_order_of_the_scores(seed: int, method: str) -> None:
    scores, vectors = candidates(seed, 20)
    order = diversify(scores, vectors, 10, Diversity(method, 0))  # type: ignore[arg-type]
    assert order.tolist() == np.argsort(-scores, kind="stable").tolist()


@given(seed=st.integers(0, 2**32), method=st.sampled_from(METHODS), scale=st.floats(0.01, 100))
def test_the_scale_of_the_scores_does_not_matter(seed: int, method: str, scale: float) -> None:
    scores, vectors = candidates(seed, 12)
    scores = (scores + np.linspace(0, 0.05, 12)).astype(np.float32)
    diversity = Diversity(method, 0.4)  # type: ignore[arg-type]
    first = diversify(scores, vectors, 6, diversity)
    assert first.tolist() == diversify(scores * np.float32(scale), vectors, 6, diversity).tolist()


@given(seed=st.integers(0, 2**32), strength=st.floats(0.01, 0.95), k=st.integers(2, 15))
def test_mmr_is_its_definition(seed: int, strength: float, k: int) -> None:
    rng = np.random.default_rng(seed)
    scores, vectors = rng.random(15).astype(np.float32), rng.normal(size=(15, 3))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = np.clip(unit @ unit.T, 0, 1)
    scaled = (scores - scores.min()) / (scores.max() - scores.min())
    found = diversify(scores, vectors.astype(np.float32), k, Diversity("mmr", strength)).tolist()
    for step in range(1, k):
        gains = (1 - strength) * scaled - strength * similarity[:, found[:step]].max(axis=1)
        gains[found[:step]] = -np.inf
        assert gains[found[step]] >= gains.max() - 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_list_of_twins_takes_one_of_each_first(method: str) -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)
    scores = np.linspace(1, 0.9, 12, dtype=np.float32)
    order = diversify(scores, vectors, 12, Diversity(method, 0.9))  # type: ignore[arg-type]
    assert sorted(order[:4].tolist()) == [0, 3, 6, 9]


def test_a_candidate_without_a_vector_is_average() -> None:
    vectors = np.array([[1, 0], [0, 0], [0, 1]], np.float32)
    scores = np.array([1, 0.5, 0.5], np.float32)
    assert diversify(scores, vectors, 3, Diversity("mmr", 0.9)).tolist() == [0, 2, 1]


def test_refusals_state_the_remedy() -> None:
    with pytest.raises(ConfigError, match="mmr, msd, dpp, ssd; got 'best'"):
        Diversity("best")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"\[0, 1\]; got 2"):
        Diversity(strength=2)
    with pytest.raises(ConfigError, match="only the method 'ssd'"):
        Diversity("mmr", window=3)
    with pytest.raises(DataError, match="finite"):
        diversify(np.array([np.nan], np.float32), np.ones((1, 2), np.float32), 1, Diversity())
    with pytest.raises(DataError, match=r"\(2,\) and \(1, 2\)"):
        diversify(np.ones(2, np.float32), np.ones((1, 2), np.float32), 1, Diversity())
