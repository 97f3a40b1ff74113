"""Vectors as a parquet table: they round-trip, and invalid ones are refused."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.formats import NamedVectors, read_vectors, write_vectors

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=40)
@given(
    ids=st.lists(st.text(min_size=1, max_size=6).filter(str.isprintable), min_size=1, unique=True),
    dimension=st.integers(1, 4),
    data=st.data(),
)
def test_vectors_round_trip(tmp_path_factory, ids, dimension, data):
    size = len(ids) * dimension
    numbers = data.draw(st.lists(FLOATS, min_size=size, max_size=size))
    vectors = np.array(numbers, np.float32).reshape(-1, dimension)
    path = tmp_path_factory.mktemp("vectors") / "items.parquet"
    write_vectors(path, NamedVectors(tuple(ids), vectors), ids="item_id")
    again = read_vectors(path, ids="item_id")
    assert again.ids == tuple(ids)
    np.testing.assert_array_equal(again.vectors, vectors)


def test_the_file_holds_text_and_lists_of_float32(tmp_path):
    write_vectors(tmp_path / "a.parquet", NamedVectors(("7",), np.ones((1, 3), np.float32)))
    schema = pyarrow.parquet.read_schema(tmp_path / "a.parquet")
    assert (schema.field("user_id").type, schema.field("vector").type) == (
        pa.string(),
        pa.list_(pa.float32()),
    )


@pytest.mark.parametrize("kind", [pa.list_(pa.float64(), 2), pa.large_list(pa.int32())])
def test_other_lists_of_numbers_and_whole_ids_are_read(tmp_path, kind):
    columns = {"user_id": [7, 8], "vector": pa.array([[1, 2], [3, 4]], kind)}
    named = read_vectors(_written(tmp_path, columns))
    assert named.ids == ("7", "8") and named.vectors.tolist() == [[1, 2], [3, 4]]


GOOD = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": ["a"], "vector": [[1.0]]}, "no column 'user_id'; did you mean 'user'"),
        ({"user_id": ["a"], "vectors": [[1.0]]}, "no column 'vector'; did you mean 'vectors'"),
        ({"user_id": [], "vector": []}, "holds no vector; expected a row for each user_id"),
        ({"user_id": ["a", "b", "a"], "vector": GOOD}, "row 3: 'a' has a vector already, in row 1"),
        ({"user_id": ["a", None, "c"], "vector": GOOD}, "'user_id', row 2 has no id; 1 such rows"),
        ({"user_id": ["a", "", "c"], "vector": GOOD}, "'user_id', row 2 has no id"),
        ({"user_id": [[1], [2], [3]], "vector": GOOD}, "must hold ids"),
        ({"user_id": ["a"], "vector": ["0.1,0.2"]}, "must hold lists of numbers; it holds string"),
        ({"user_id": ["a"], "vector": [[["x"]]]}, "must hold lists of numbers"),
        ({"user_id": ["a", "b"], "vector": [[1.0], None]}, "'vector', row 2 has no vector"),
        (
            {"user_id": ["a", "b"], "vector": [[1.0, 2.0], [1.0]]},
            "row 2: a vector of 1 numbers, where the first has 2",
        ),
        (
            {"user_id": ["a"], "vector": pa.array([[]], pa.list_(pa.float32()))},
            "all must have the same length, at least 1",
        ),
        ({"user_id": ["a"], "vector": [[float("nan")]]}, "row 1 holds a number that is missing or"),
        ({"user_id": ["a", "b"], "vector": [[1.0], [float("inf")]]}, "row 2 holds a number"),
        ({"user_id": ["a", "b"], "vector": [[1.0], [1e300]]}, "row 2 holds a number"),
        ({"user_id": ["a"], "vector": [[1.0, None]]}, "row 1 holds a number that is missing"),
    ],
)
def test_invalid_vectors_are_refused_with_their_row(tmp_path, columns, message):
    with pytest.raises(DataError, match=message):
        read_vectors(_written(tmp_path, columns))


def test_other_files_are_refused(tmp_path):
    path = _written(tmp_path, {"user_id": ["a"], "vector": [[1.0]]})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        read_vectors(path)
    with pytest.raises(DataError, match="is not there"):
        read_vectors(tmp_path / "none.parquet")


def _written(folder: Path, columns: dict) -> Path:
    path = folder / "users.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path
