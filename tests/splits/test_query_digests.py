"""Digests of held-out queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.ids import IdMap
from recsys.splits.held_out import HeldOutQueries
from recsys.splits.query_digests import QueryDigests

ITEMS = ["lamp", "rug", "mug", "cup"]


def _digests(
    *, order: list[int], histories: Any = ((0, 1), ()), targets: Any = ((2, 3), (0,))
) -> QueryDigests:
    """Digests of two queries whose items are numbered by ``order``."""
    row = {item: position for position, item in enumerate(order)}
    return QueryDigests.from_queries(
        HeldOutQueries.of(
            user=[0, 1],
            histories=[[row[item] for item in each] for each in histories],
            targets=[[row[item] for item in each] for each in targets],
        ),
        users=IdMap.of("user", ["ann", "bob"]),
        items=IdMap.of("item", [ITEMS[item] for item in order]),
        candidates=np.array([item != 3 for item in order]),
    )


def test_digests_depend_on_ids_and_not_on_rows(tmp_path: Path) -> None:
    first, other = _digests(order=[0, 1, 2, 3]), _digests(order=[3, 1, 0, 2])
    assert np.array_equal(first.targets, other.targets)
    assert np.array_equal(first.histories, other.histories)
    assert set(first.candidates) == set(other.candidates) and len(first.candidates) == 3
    first.save(tmp_path / "queries.npz")
    again = QueryDigests.load(tmp_path / "queries.npz")
    assert np.array_equal(first.histories, again.histories)


def test_the_order_of_a_history_counts_and_that_of_targets_does_not() -> None:
    first = _digests(order=[0, 1, 2, 3])
    swapped = _digests(order=[0, 1, 2, 3], histories=[[1, 0], []], targets=[[3, 2], [0]])
    assert np.array_equal(first.targets, swapped.targets)
    assert (first.histories == swapped.histories).tolist() == [False, True]
    fewer = _digests(order=[0, 1, 2, 3], targets=[[2], [0]])
    assert (first.targets == fewer.targets).tolist() == [False, True]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "queries.npz", other=np.ones(2))
    with pytest.raises(ValueError, match="holds no digests of queries"):
        QueryDigests.load(tmp_path / "queries.npz")
