import numpy as np
import pytest

from recsys.features import normalised_interactions, spectral_vectors
from recsys.ids import IdMap
from recsys.interactions import Interactions

USERS, ITEMS = 4, 5  # user 3 met nothing, item 4 nobody met, user 0 met item 0 twice
PAIRS = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (2, 0)]
LOG = Interactions.of(
    IdMap.of("user", [f"u{row}" for row in range(USERS)]),
    IdMap.of("item", [f"i{row}" for row in range(ITEMS)]),
    user=[user for user, _ in PAIRS],
    item=[item for _, item in PAIRS],
    time=np.arange(len(PAIRS)),
)
R = np.zeros((USERS, ITEMS), np.float32)
for pair in PAIRS:
    R[pair] = 1
A = R / np.sqrt(np.outer(np.maximum(R.sum(1), 1), np.maximum(R.sum(0), 1)))


def test_interactions_are_normalised_by_both_degrees_and_repeats_count_once():
    np.testing.assert_allclose(normalised_interactions(LOG).toarray(), A, atol=1e-6)


def test_spectral_vectors_are_the_best_approximation_of_their_rank():
    users, items = spectral_vectors(LOG, 2, spread=0.1)
    p, s, q = np.linalg.svd(A)
    best = p[:, :2] * s[:2] @ q[:2]
    product = users @ items.T
    np.testing.assert_allclose(product / product.max(), best / best.max(), atol=1e-4)
    assert not users[3].any() and not items[4].any()
    assert np.sqrt((items[LOG.warm] ** 2).mean()) == pytest.approx(0.1, rel=1e-4)


def test_no_coordinate_is_dead_where_there_are_fewer_directions():
    for vectors in spectral_vectors(LOG, 8):
        assert np.isfinite(vectors).all() and (np.abs(vectors).max(axis=0) > 0.001).all()


def test_spectral_vectors_are_a_function_of_the_seed():
    one, other = (spectral_vectors(LOG, 4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
