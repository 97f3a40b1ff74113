"""Eligible rows by leaf: whether they are spread as random rows are."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.index import RowSet
from recsys.index.leaves.partition import Partition

ROWS, LEAVES = 20_000, 100


@pytest.fixture(scope="module")
def partition() -> Partition:
    rng = np.random.default_rng(3)
    tokens = rng.choice(LEAVES, ROWS, p=rng.dirichlet(np.ones(LEAVES))).astype(np.int32)
    return Partition.of(rng.standard_normal((ROWS, 4), np.float32), tokens, LEAVES)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_random_rows_are_even(partition: Partition, share: float) -> None:
    chosen = np.random.default_rng(4).random(ROWS) < share
    assert partition.groups(RowSet.of_mask(chosen)).even


def test_rows_of_some_leaves_are_not_even(partition: Partition) -> None:
    some = partition.tokens < LEAVES // 2
    assert not partition.groups(RowSet.of_mask(some)).even
    random = np.random.default_rng(5).random(ROWS) < 0.1
    assert not partition.groups(RowSet.of_mask(some & random)).even


def test_all_rows_are_even(partition: Partition) -> None:
    assert partition.everything.even
    assert partition.groups(RowSet.of_mask(np.ones(ROWS, np.bool_))).even
