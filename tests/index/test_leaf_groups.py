"""Eligible rows by leaf: whether they are spread as random rows are."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from recsys.ids import Vectors
from recsys.index import RowSet
from recsys.index.leaves.partition import Partition
from recsys.index.leaves.scan import LeafScan

ROWS, LEAVES = 20_000, 100


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return np.random.default_rng(2).standard_normal((ROWS, 4), np.float32)


@pytest.fixture(scope="module")
def partition(vectors: Vectors) -> Partition:
    rng = np.random.default_rng(3)
    tokens = rng.choice(LEAVES, ROWS, p=rng.dirichlet(np.ones(LEAVES))).astype(np.int32)
    return Partition.of(vectors, tokens, LEAVES)


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


def test_groups_of_the_latest_sets_are_kept_within_the_memory_of_the_partition(
    vectors: Vectors, partition: Partition
) -> None:
    scan = LeafScan.of(vectors, partition)
    sets = [RowSet.of_mask(np.random.default_rng(at).random(ROWS) < 0.5) for at in range(8)]
    kept = [scan.groups(each) for each in sets]
    assert sum(each.bytes for each in kept) > partition.bytes > 3 * kept[0].bytes
    assert scan.groups(sets[-1]) is kept[-1] and scan.groups(sets[-2]) is kept[-2]
    assert scan.groups(sets[0]) is not kept[0]
    assert scan.groups(sets[-1]) is kept[-1]


def test_groups_end_with_their_set(vectors: Vectors, partition: Partition) -> None:
    scan = LeafScan.of(vectors, partition)
    groups = weakref.ref(scan.groups(RowSet.of_mask(np.arange(ROWS) < 9)))
    gc.collect()
    assert groups() is None
