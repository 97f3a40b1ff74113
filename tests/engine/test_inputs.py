"""DataFrames of every kind, and files, become tables; what cannot be read is named."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import recsys
from recsys.engine.inputs import InputTable
from recsys.engine.requests import request_of, text_ids
from recsys.errors import DataError, InvalidRequestError
from recsys.formats import CsvInteractions, ParquetInteractions, read_interactions


def read_back(frame: pd.DataFrame, folder: Path, **columns: str) -> list[dict[str, Any]]:
    table = InputTable.of(frame, "interactions")
    source = table.source(list(columns.values()), folder / "inputs")
    found = ParquetInteractions.model_validate({**source, "columns": columns})
    rows: list[dict[str, Any]] = read_interactions(found, base=folder).to_pylist()
    return rows


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(["2024-01-01"]),
        pd.to_datetime(["2024-01-01 02:00"]).tz_localize("Europe/Helsinki"),
        pd.PeriodIndex(["2024-01-01"], freq="D"),
        pd.Series(["2024-01-01"], dtype="category"),
        np.array(["2024-01-01"], "datetime64[D]"),
        ["2024-01-01T00:00:00Z"],
    ],
    ids=["naive", "aware", "period", "category", "numpy", "text"],
)
def test_every_kind_of_time_is_read(times: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [7], "item": pd.Categorical(["a"]), "at": times})
    rows = read_back(frame, tmp_path, user="user", item="item", timestamp="at")
    assert rows == [{"user_id": "7", "item_id": "a", "timestamp": 1_704_067_200}]


def test_integers_with_gaps_are_ids(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [7, None], "item": pd.array([1, None], "Int64")})
    rows = read_back(frame, tmp_path, user="user", item="item")
    assert rows == [{"user_id": "7", "item_id": "1"}, {"user_id": None, "item_id": None}]
    table = InputTable.of(frame, "interactions")
    assert table.holds_integers("user") and table.holds_integers("item")


def test_a_named_index_is_a_column() -> None:
    frame = pd.DataFrame({"item": ["a"]}, index=pd.Index([7], name="user"))
    assert InputTable.of(frame, "interactions").table.column_names == ["user", "item"]
    unnamed = pd.DataFrame({"item": ["a"]}, index=[7])
    assert InputTable.of(unnamed, "interactions").table.column_names == ["item"]


def test_equal_tables_give_equal_files(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [1], "item": ["a"], "other": [2]})
    for folder in ("a", "b"):
        InputTable.of(frame, "log").source(["user", "item"], tmp_path / folder)
    first, second = (tmp_path / folder / "log.parquet" for folder in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert pyarrow.parquet.read_schema(first).names == ["user", "item"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"user": [1, "a"]}), r"column 'user' mixes kinds of values \(int, str\)"),
        (pd.DataFrame({"user": []}), "log holds no rows"),
        (pd.DataFrame([[1, 2]], columns=["user", "user"]), "column 'user' is there twice"),
        ([{"user": 1}], "must be a pandas DataFrame, .*; got list"),
        ("nothing.csv", "there is no csv or parquet file at nothing.csv"),
    ],
)
def test_other_data_are_refused(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        InputTable.of(data, "log")


def test_a_csv_file_is_sniffed_and_left_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress("user;item;at\n007;café;2024-01-01\n".encode("latin-1")))
    table = InputTable.of(path, "log")
    source = table.source(["user"], tmp_path / "inputs")
    assert source == {
        "format": "csv",
        "separator": ";",
        "encoding": "latin-1",
        "path": str(path),
    }
    assert not (tmp_path / "inputs").exists()
    columns = {"user": "user", "item": "item", "timestamp": "at"}
    rows = read_interactions(CsvInteractions.model_validate({**source, "columns": columns}))
    assert rows.to_pylist()[0]["item_id"] == "café"
    assert not table.holds_integers("user")


def test_parquet_files_and_folders_are_read(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"user": [1]}), tmp_path / "part.parquet")
    for path in (tmp_path, tmp_path / "part.parquet"):
        table = InputTable.of(path, "log")
        assert table.table.column_names == ["user"]
        assert table.source([], tmp_path / "x") == {"format": "parquet", "path": str(path)}
    (tmp_path / "log.xlsx").touch()
    with pytest.raises(DataError, match="log.xlsx is neither csv"):
        InputTable.of(tmp_path / "log.xlsx", "log")


def test_arrow_tables_are_tables() -> None:
    table = pa.table({"user": pa.array(["a"]).dictionary_encode()})
    assert pa.types.is_string(InputTable.of(table, "log").table.schema.field("user").type)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, None], r"position 1 holds None"),
        ([float("nan")], "position 0 holds nan"),
        ([1.5], "position 0 holds 1.5"),
        ([True], "position 0 holds True"),
        ([""], "position 0 holds ''"),
        ({"a": 1}, "got dict"),
        (pd.DataFrame({"user": ["ann"]}), "got DataFrame"),
        (np.array([["ann"]]), "got ndarray"),
    ],
)
def test_ids_are_text_or_whole_numbers(ids: Any, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        text_ids(ids, "users")


def test_ids_in_options_may_be_integers() -> None:
    request = request_of({"history": ["7"]}, 3, {"exclude": np.array([8]), "seen": "include"})
    assert request_of({"user_id": "7"}, np.int64(3), {}).k == 3
    with pytest.raises(InvalidRequestError, match="no option sapce; did you mean 'space'"):
        request_of({"user_id": "7"}, 3, {"sapce": "text"})
    assert (request.exclude, request.query.history, request.seen) == (("8",), ("7",), "include")
    with pytest.raises(InvalidRequestError, match="exclude must hold ids.*position 0 holds None"):
        request_of({"user_id": "7"}, 3, {"exclude": [None]})


def test_the_package_loads_its_engine_when_it_is_used() -> None:
    code = (
        "import sys, recsys\n"
        "loaded = [name in sys.modules for name in ('pandas', 'pydantic', 'recsys.engine')]\n"
        "assert not any(loaded), loaded\n"
        "assert {'fit', 'open', 'Engine'} <= set(dir(recsys)) and callable(recsys.fit)\n"
        "assert 'tensorflow' not in sys.modules and 'scann' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="module 'recsys' has no attribute 'fitt'"):
        recsys.fitt  # noqa: B018


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item\n")
    with pytest.raises(DataError, match="log holds no rows"):
        InputTable.of(tmp_path / "log.csv", "log")


def test_the_dialect_of_a_file_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_bytes(
        gzip.compress(
            'sku;name;price;rating;;\na;Lamp “5";1.299,00;4,5;;\nb;Rug;5,00;4;;\n'.encode("cp1252")
        )
    )
    table = InputTable.of(tmp_path / "items.csv", "items")
    assert table.table.to_pylist() == [
        {"sku": "a", "name": 'Lamp “5"', "price": 1299.0, "rating": 4.5},
        {"sku": "b", "name": "Rug", "price": 5.0, "rating": 4.0},
    ]
    assert dict(table.options) == {
        "format": "csv",
        "separator": ";",
        "encoding": "cp1252",
        "decimal": ",",
        "thousands": ".",
    }
