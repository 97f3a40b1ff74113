"""Sets of rows."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.index.rows import RowSet, bitmap_of_mask, bitmap_of_rows

BLOCK = 65_536


@pytest.mark.parametrize("size", [1, BLOCK, BLOCK + 1, 3 * BLOCK + 77])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.0625, 0.5, 1.0])
def test_a_mask_and_its_rows_give_the_same_bitmap(size: int, share: float) -> None:
    mask = np.random.default_rng(0).random(size) < share
    assert bitmap_of_mask(mask) == bitmap_of_rows(np.flatnonzero(mask))
    rows = RowSet.of_mask(mask)
    assert rows.size == size and (rows.mask == mask).all()
    assert rows.rows.tolist() == np.flatnonzero(mask).tolist()


def test_blocks_with_few_and_with_many_rows_are_in_one_bitmap() -> None:
    mask = np.zeros(6 * BLOCK, np.bool_)
    mask[[0, BLOCK - 1]] = True
    mask[BLOCK : BLOCK + 4_096] = True
    mask[2 * BLOCK : 2 * BLOCK + 4_097] = True
    mask[4 * BLOCK :] = True
    assert bitmap_of_mask(mask) == bitmap_of_rows(np.flatnonzero(mask))


def test_rows_may_come_in_any_order_and_form() -> None:
    expected = [0, 2, 5]
    for rows in (np.array([5, 0, 2], np.int32), np.array([2, 5, 0]), [5, 2, 0], iter([0, 2, 5])):
        assert RowSet.of_rows(rows, 6).rows.tolist() == expected
