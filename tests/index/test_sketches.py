"""Sketches of rows: what a comparison with a query keeps."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.ids import Rows, Vectors
from recsys.index.leaves.sketches import (
    AT_ONCE,
    encode,
    measured_doubt,
    prepare,
    scratch,
    sift,
    sketch,
    words,
)

ROWS = 20_000
_NONE = np.empty(0, np.int32)


class Sketched:
    """Differences of rows from one centroid, with their sketches."""

    def __init__(self, differences: Vectors) -> None:
        self.differences = differences
        self.bits, self.steps = sketch(differences.shape[1], len(differences))
        encode(differences, 0, self.bits, self.steps)
        self.doubt = measured_doubt(differences, differences)

    def kept(self, query: Vectors, least: float, positions: Rows = _NONE) -> Rows:
        """Positions, of all or some, that may have a score."""
        items, dimension = self.differences.shape
        planes, line = np.empty((words(dimension), 4), np.uint64), np.empty(2, np.float32)
        prepare(query, self.doubt, planes, line)
        bits, steps = self.bits, self.steps
        if len(positions):
            bits, steps = bits.take(positions, axis=1), steps.take(positions)
        near, bases = np.empty(2 * items, np.int32), np.empty(2 * items, np.float32)
        codes, factors = np.zeros((items, 1), np.int8), np.zeros((items, 2), np.float32)
        at, memory, count = 0, scratch(), len(positions) or items
        for begin in range(0, count, AT_ONCE):
            which = bits, steps, positions, begin, min(begin + AT_ONCE, count), planes, line
            at = sift(*which, 0.0, least, codes, factors, *memory, near, bases, at)
        return near[:at]


@pytest.fixture(scope="module", params=[8, 64, 100])
def rows(request: pytest.FixtureRequest) -> Sketched:
    rng = np.random.default_rng(1)
    dimension = request.param
    spread = 1 / np.arange(1, dimension + 1) ** 0.5
    return Sketched((rng.standard_normal((ROWS, dimension)) * spread).astype(np.float32))


def test_few_rows_are_kept_and_nearly_none_is_lost(rows: Sketched) -> None:
    rng = np.random.default_rng(2)
    lost, good, kept = 0, 0, 0
    for at in rng.integers(ROWS, size=20):
        query = rows.differences[at]
        scores = rows.differences @ query
        least = float(np.sort(scores)[-200])
        found = rows.kept(query, least)
        above = np.flatnonzero(scores >= least)
        lost, good, kept = lost + len(np.setdiff1d(above, found)), good + 200, kept + len(found)
    assert lost <= 0.003 * good
    assert kept < 9 * good


@pytest.mark.parametrize("share", [0.9, 0.02])
def test_some_rows_are_compared_as_among_all(rows: Sketched, share: float) -> None:
    rng = np.random.default_rng(3)
    query = rng.standard_normal(rows.differences.shape[1]).astype(np.float32)
    least = float(np.quantile(rows.differences @ query, 0.9))
    some = np.flatnonzero(rng.random(ROWS) < share).astype(np.int32)
    expected = np.intersect1d(rows.kept(query, least), some)
    assert rows.kept(query, least, some).tolist() == expected.tolist()


def test_the_product_with_the_row_itself_is_known(rows: Sketched) -> None:
    for at in range(5):
        query = rows.differences[at]
        assert at in rows.kept(query, float(query @ query) * 0.999)


def test_zeros_and_single_dimensions_have_sketches() -> None:
    rows = Sketched(np.vstack([np.zeros((1, 64)), np.eye(64)]).astype(np.float32))
    query = np.zeros(64, np.float32)
    query[7] = 1
    assert rows.kept(query, 0.9).tolist() == [8]
