import numpy as np
import pytest

from recsys.towers.ensemble.distillation.reduction import reduce_dimension

RNG = np.random.default_rng(0)
QUERIES, ITEMS = (RNG.normal(size=(count, 12)).astype(np.float32) for count in (20, 9))


@pytest.mark.parametrize("dimension", [2, 5, 40])
def test_the_scores_are_the_best_approximation_of_their_rank(dimension):
    u, s, v = np.linalg.svd(QUERIES @ ITEMS.T)
    queries, items = reduce_dimension(QUERIES, ITEMS, dimension, among=np.ones(9, np.bool_))
    nearest = (u[:, :9][:, :dimension] * s[:dimension]) @ v[:dimension]
    np.testing.assert_allclose(queries @ items.T, nearest, atol=1e-3)
    assert items.shape == (9, min(dimension, 12))


def test_only_the_selected_items_determine_the_reduction():
    among = np.arange(9) < 2
    queries, items = reduce_dimension(QUERIES, ITEMS, 2, among=among)
    np.testing.assert_allclose(
        queries @ items[among].T, QUERIES @ ITEMS[among].T, rtol=1e-4, atol=1e-4
    )
