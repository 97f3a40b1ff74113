import numpy as np

from recsys.features import FeatureBlock, mean_of_items

BLOCK = FeatureBlock(
    np.array([[1, 0], [0, 1], [0, 0], [3, 1]], np.float32),
    np.array([True, True, False, True]),
    "title",
)


def test_the_mean_is_over_the_items_that_have_a_vector() -> None:
    rows, offsets = np.array([0, 2, 3, 1, 1, 0, 2], np.int32), np.array([0, 3, 6, 6, 7])
    means = mean_of_items(BLOCK, rows, offsets)
    # (1, 0) and (3, 1); twice (0, 1) and once (1, 0); no user; only items that lack a vector.
    np.testing.assert_allclose(means, [[2, 0.5], [1 / 3, 2 / 3], [0, 0], [0, 0]], rtol=1e-6)
    assert means.dtype == np.float32


def test_no_groups_have_no_means() -> None:
    assert mean_of_items(BLOCK, np.array([], np.int32), np.array([0])).shape == (0, 2)


def test_a_block_without_items_has_empty_groups_only() -> None:
    nothing = FeatureBlock(np.zeros((0, 2), np.float32), np.zeros(0, bool), "title")
    assert mean_of_items(nothing, np.array([], np.int32), np.array([0, 0])).tolist() == [[0, 0]]
