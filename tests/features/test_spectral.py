import numpy as np
import pytest

from recsys.features import normalised_interactions, spectral_vectors
from tests.features.tiny_log import LOG, A


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


def test_no_coordinate_is_constant_if_the_rank_is_lower():
    for vectors in spectral_vectors(LOG, 8):
        assert np.isfinite(vectors).all() and (np.abs(vectors).max(axis=0) > 0.001).all()


def test_spectral_vectors_are_a_function_of_the_seed():
    one, other = (spectral_vectors(LOG, 4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
