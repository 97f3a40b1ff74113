"""A feature block that holds anything but finite float32 rows and a mask cannot exist."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.encoders import Encoded
from recsys.errors import DataError
from recsys.features import FeatureBlock

VECTORS = np.array([[1, 2], [0, 0], [3, 4]], np.float32)
MASK = np.array([True, False, True])


def block(**changes) -> FeatureBlock:
    parts = {"name": "text", "vectors": VECTORS.copy(), "mask": MASK.copy(), **changes}
    return FeatureBlock(**parts)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "a feature block needs a name; got ''"),
        ({"vectors": VECTORS.astype(float)}, r"must be float32 \[n, d\]; got float64 \(3, 2\)"),
        ({"vectors": VECTORS[0]}, r"must be float32 \[n, d\]; got float32 \(2,\)"),
        ({"mask": MASK[:2]}, r"the mask must be bool \[3\]; got bool \(2,\)"),
        ({"mask": MASK.astype(int)}, r"the mask must be bool \[3\]; got int64 \(3,\)"),
        ({"vectors": VECTORS * np.float32("nan")}, "row 0 holds a number that is not finite"),
        ({"vectors": VECTORS + 1}, "row 1 is masked out but is not zeros"),
        ({"columns": ("a",)}, "2 columns have 1 names"),
    ],
)
def test_invalid_blocks_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        block(**changes)


def test_it_is_frozen() -> None:
    one = block()
    with pytest.raises(ValueError, match="read-only"):
        one.vectors[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        one.mask[0] = False


def test_of_an_encoding() -> None:
    one = FeatureBlock.of("text", Encoded.of(VECTORS))
    np.testing.assert_allclose(np.linalg.norm(one.vectors, axis=1), [1, 0, 1], atol=1e-6)


def test_rows_are_taken_in_their_order() -> None:
    taken = block().take(np.array([2, 1], np.int32))
    assert taken.vectors.tolist() == [[3, 4], [0, 0]] and taken.mask.tolist() == [True, False]


def test_loaded_as_saved(tmp_path: Path) -> None:
    one = block(columns=("price", "kind=ö"))
    one.save(tmp_path / "blocks" / "text.npz")
    loaded = FeatureBlock.load(tmp_path / "blocks" / "text.npz")
    assert (loaded.name, loaded.columns) == (one.name, one.columns)
    np.testing.assert_array_equal(loaded.vectors, one.vectors)
    np.testing.assert_array_equal(loaded.mask, one.mask)
    assert [path.name for path in (tmp_path / "blocks").iterdir()] == ["text.npz"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.npz"
    with pytest.raises(DataError, match=r"expected a feature block; .*text.npz does not exist"):
        FeatureBlock.load(path)
    block().save(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="text.npz is not a whole feature block: .*encode again"):
        FeatureBlock.load(path)


def test_a_file_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.npz"
    block().save(path)
    with np.load(path) as file:
        parts = dict(file)
    np.savez(path, **{**parts, "vectors": parts["vectors"] * 2})
    with pytest.raises(DataError, match="text.npz is damaged: its checksum does not match"):
        FeatureBlock.load(path)
    header = {**json.loads(str(parts["header"])), "version": 7}
    np.savez(path, **{**parts, "header": json.dumps(header)})
    with pytest.raises(DataError, match="format version 7; this recsys reads 1"):
        FeatureBlock.load(path)
