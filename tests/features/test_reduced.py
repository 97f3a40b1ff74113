import numpy as np
import pytest

from recsys.errors import DataError
from recsys.features import FeatureBlock, principal_components

RNG = np.random.default_rng(0)
MASK = np.arange(40) != 3


def block() -> FeatureBlock:
    """Two directions with much variance inside seven dimensions, and noise."""
    turned, _ = np.linalg.qr(RNG.normal(size=(7, 7)))
    plain = RNG.normal(size=(40, 7)) * [9, 5, 0.01, 0.01, 0.01, 0.01, 0.01] + 3
    return FeatureBlock((plain @ turned * MASK[:, None]).astype(np.float32), MASK.copy(), "image")


def test_the_components_keep_the_distances_that_matter() -> None:
    whole = block()
    flat = principal_components(whole, 2, among=np.ones(40, bool))
    assert flat.vectors.shape == (40, 2) and flat.vectors.dtype == np.float32
    before, after = (
        np.linalg.norm(each.vectors[MASK][:, None] - each.vectors[MASK], axis=2)
        for each in (whole, flat)
    )
    np.testing.assert_allclose(after, before, atol=0.1)
    variance = flat.vectors[MASK].var(axis=0)
    assert variance[0] > variance[1]


def test_an_item_without_a_vector_stays_without() -> None:
    flat = principal_components(block(), 2, among=np.ones(40, bool))
    assert flat.mask.tolist() == MASK.tolist() and not flat.vectors[3].any()


def test_only_the_items_among_decide_the_directions() -> None:
    whole = block()
    among = np.arange(40) < 30
    strange = whole.vectors.copy()
    strange[35:] *= 1000
    other = FeatureBlock(strange, whole.mask.copy(), "image")
    first, second = (principal_components(each, 2, among=among) for each in (whole, other))
    np.testing.assert_allclose(first.vectors[:35], second.vectors[:35], atol=1e-5)


def test_more_components_than_there_are_is_refused() -> None:
    with pytest.raises(DataError, match="7 columns and 2 items .* ask for 1 to 2, not 3"):
        principal_components(block(), 3, among=np.arange(40) < 2)
    with pytest.raises(DataError, match="not 0"):
        principal_components(block(), 0, among=MASK)
