import numpy as np
import pytest

from recsys.errors import TrainingError
from recsys.towers.training.collapse import refuse_collapsed

SPREAD = np.eye(4, dtype=np.float32)


def around(one: np.ndarray, *, spread: float, count: int = 200) -> np.ndarray:
    vectors = one + spread * np.random.default_rng(0).standard_normal((count, len(one)))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_nearly_equal_items_are_refused():
    refuse_collapsed(around(SPREAD[0], spread=0.1), SPREAD)
    with pytest.raises(TrainingError, match=r"200 items have collapsed .*more train.loss.neg"):
        refuse_collapsed(around(SPREAD[0], spread=0.01), SPREAD)


def test_nearly_equal_queries_are_refused():
    refuse_collapsed(SPREAD, around(SPREAD[0], spread=0.1))
    with pytest.raises(TrainingError, match=r"all 200 queries of a batch have one vector"):
        refuse_collapsed(SPREAD, around(SPREAD[0], spread=0.001))


def test_a_few_different_queries_are_accepted():
    """Most queries of a log may be without terms, and only the others have to differ."""
    many = around(SPREAD[0], spread=0.0001)
    refuse_collapsed(SPREAD, np.vstack([many, SPREAD[1:2]]))


def test_one_item_or_few_queries_are_accepted():
    refuse_collapsed(SPREAD[:1], SPREAD[:0])
    refuse_collapsed(SPREAD[:0], SPREAD[:1])
    refuse_collapsed(SPREAD, np.repeat(SPREAD[:1], 31, axis=0))
    with pytest.raises(TrainingError, match="all 32 queries"):
        refuse_collapsed(SPREAD, np.repeat(SPREAD[:1], 32, axis=0))


def test_opposite_queries_are_accepted():
    refuse_collapsed(SPREAD, np.repeat(np.vstack([SPREAD[0], -SPREAD[0]]), 20, axis=0))


def test_vectors_that_are_all_zero_are_refused():
    """Items without distinguishing inputs can all be at the origin."""
    none = np.zeros((40, 4), np.float32)
    with pytest.raises(TrainingError, match="40 items have collapsed"):
        refuse_collapsed(none, SPREAD)
    with pytest.raises(TrainingError, match="all 40 queries"):
        refuse_collapsed(SPREAD, none)
    refuse_collapsed(np.vstack([none, SPREAD]), np.vstack([none, SPREAD]))
    refuse_collapsed(none[:1], none[:31])
