"""Masked vectors: anything but finite float32 rows with zeros where masked is refused."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.vectors import MaskedVectors

VECTORS = np.array([[1, 2], [0, 0], [3, 4]], np.float32)
MASK = np.array([True, False, True])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": VECTORS.astype(float)}, r"must be float32 \[n, d\]; got float64 \(3, 2\)"),
        ({"vectors": VECTORS[0]}, r"must be float32 \[n, d\]; got float32 \(2,\)"),
        ({"mask": MASK[:2]}, r"the mask must be bool \[3\]; got bool \(2,\)"),
        ({"mask": MASK.astype(int)}, r"the mask must be bool \[3\]; got int64 \(3,\)"),
        ({"vectors": VECTORS * np.float32("nan")}, "row 0 holds a number that is not finite"),
        ({"vectors": VECTORS + 1}, "vectors: row 1 is masked out but is not zeros"),
    ],
)
def test_invalid_parts_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        MaskedVectors(**{"vectors": VECTORS.copy(), "mask": MASK.copy(), **changes})


def test_they_are_read_only() -> None:
    masked = MaskedVectors(VECTORS.copy(), MASK.copy())
    with pytest.raises(ValueError, match="read-only"):
        masked.vectors[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        masked.mask[0] = False


def test_no_rows_are_allowed() -> None:
    assert len(MaskedVectors(np.zeros((0, 3), np.float32), np.zeros(0, np.bool_))) == 0
