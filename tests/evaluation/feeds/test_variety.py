"""Figures of variety, compared with their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation.feeds import (
    ItemFacts,
    Lists,
    calibration,
    exposure_gini,
    head_share,
    intra_list_diversity,
    novelty,
    serendipity,
    variety_figures,
)

ITEMS = 12


def some_lists(rng: np.random.Generator, queries: int = 4) -> Lists:
    return Lists.of([rng.permutation(ITEMS)[: rng.integers(0, 6)] for _ in range(queries)])


@given(seed=st.integers(0, 2**32))
def test_diversity_is_the_mean_over_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lists, vectors = some_lists(rng), rng.normal(size=(ITEMS, 3)).astype(np.float32)
    vectors[0] = 0
    found = intra_list_diversity(lists, vectors)
    for at in range(len(lists)):
        rows = [row for row in lists.rows[at][lists.valid[at]].tolist() if row]
        unit = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
        pairs = [1 - unit[i] @ unit[j] for i in range(len(rows)) for j in range(i)]
        expected = np.mean(pairs) if pairs else np.nan
        assert found[at] == pytest.approx(expected, abs=1e-5, nan_ok=True)


@given(seed=st.integers(0, 2**32))
def test_gini_is_the_mean_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lists, candidates = some_lists(rng), rng.random(ITEMS) < 0.8
    shown = np.bincount(lists.rows[lists.valid], minlength=ITEMS)[candidates]
    found = exposure_gini(lists, candidates)
    if not shown.sum():
        assert found == 0
    else:
        differences = np.abs(shown[:, None] - shown).sum()
        assert found == pytest.approx(differences / (2 * len(shown) * shown.sum()))


def test_novelty_is_measured_in_bits() -> None:
    counts = np.array([7, 3, 3, 3])  # with 1 each: 8, 4, 4, 4 of 20
    found = novelty(Lists.of([[0], [1, 2], []]), counts)
    assert found[:2] == pytest.approx([np.log2(20 / 8), np.log2(5)])
    assert np.isnan(found[2])


def test_serendipity_counts_targets_that_popularity_lacks() -> None:
    counts = np.array([9, 8, 7, 1, 1])
    lists, targets = Lists.of([[0, 3], [2, 4], [2, 4]]), Lists.of([[0, 3], [2, 4], [2, 4]])
    histories = Lists.of([[], [], [0]])  # the third list by popularity is 1, 2
    assert serendipity(lists, targets, counts, histories).tolist() == [0.5, 1.0, 0.5]


def test_head_share_is_the_share_of_popular_items() -> None:
    assert head_share(Lists.of([[0, 1], [2]]), np.array([6, 4, 2])).tolist() == [0.5, 0]


def test_calibration_compares_with_the_history() -> None:
    values = np.array([[0, -1], [1, -1], [0, 1], [-1, -1]], np.int32)
    histories = Lists.of([[0, 1], [0], [0], [3]])
    found = calibration(Lists.of([[2], [0], [1], [0]]), histories, values)
    assert found[:2] == pytest.approx([0, 0], abs=1e-12)
    assert found[2] == pytest.approx(np.log(1 / 0.01))
    assert np.isnan(found[3])


def test_all_figures_are_given_with_their_intervals() -> None:
    rng = np.random.default_rng(1)
    lists, targets, histories = (some_lists(rng, 30) for _ in range(3))
    facts = ItemFacts(
        rng.integers(0, 9, ITEMS),
        np.ones(ITEMS, np.bool_),
        rng.normal(size=(ITEMS, 3)).astype(np.float32),
        rng.integers(-1, 3, (ITEMS, 1)).astype(np.int32),
    )
    found = variety_figures(lists, facts=facts, targets=targets, histories=histories, k=5)
    assert len(found) == 7
    for name, (value, interval) in found.items():
        if name in ("coverage@5", "gini@5"):
            assert interval is None and 0 <= value <= 1
        else:
            assert interval is not None and interval[0] <= value <= interval[1]
