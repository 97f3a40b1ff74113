"""Exports of databases, spreadsheets and pandas: read alike, or refused with what helps."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from recsys.config import Config, load_config
from recsys.errors import DataError
from recsys.formats import (
    CsvInteractions,
    InteractionColumns,
    LightGcnInteractions,
    ParquetInteractions,
    ParquetItems,
    read_interactions,
    read_items,
)

AT = InteractionColumns(timestamp="at")
NEW_YEAR = 1_704_067_200  # 2024-01-01T00:00:00Z


def csv_times(folder: Path, *written: str, **columns: str) -> list[int | None]:
    lines = [f'a,b,"{each}"' for each in written]
    (folder / "log.csv").write_text("\n".join(["user_id,item_id,at", *lines, ""]))
    source = CsvInteractions(
        path="log.csv", columns=InteractionColumns.model_validate({"timestamp": "at", **columns})
    )
    times: list[int | None] = read_interactions(source, base=folder)["timestamp"].to_pylist()
    return times


def parts(folder: Path, *tables: dict[str, object]) -> pa.Table:
    (folder / "log").mkdir()
    for number, table in enumerate(tables):
        pyarrow.parquet.write_table(pa.table(table), folder / "log" / f"part-{number}.parquet")
    return read_interactions(ParquetInteractions(path="log"), base=folder)


def test_a_configuration_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    class Named(Config):
        name: str

    (tmp_path / "run.toml").write_text('\ufeffname = "a"\n', encoding="utf-8")
    assert load_config(tmp_path / "run.toml", Named).name == "a"


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-01 00:00:00 UTC",
        "2024-01-01 00:00:00.000 GMT",
        "2024-01-01T00:00:00Z[UTC]",
        "2024-01-01 00:00:00,250",
        "2024-01-01 02:00:00 +0200 UTC",
        "2024-01-01 00:00:00+00",
    ],
)
def test_times_of_databases_and_logs(written: str, tmp_path: Path) -> None:
    assert csv_times(tmp_path, written, "1704067201") == [NEW_YEAR, NEW_YEAR + 1]


@pytest.mark.parametrize("written", ["20240101", "202401010000", "20240101000000"])
def test_numbers_that_are_dates_are_dates(written: str, tmp_path: Path) -> None:
    assert csv_times(tmp_path, written) == [NEW_YEAR]
    if len(written) == 8:
        assert csv_times(tmp_path, written, timestamp_unit="s") == [20_240_101]
        assert csv_times(tmp_path, written, "20240132") == [20_240_101, 20_240_132]


@pytest.mark.parametrize("number", ["20240132", "0", "99999999", "20240101.5"])
def test_a_number_among_dates_that_is_none_is_refused(number: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 3: expected a date written as '%Y%m%d' or ISO"):
        csv_times(tmp_path, "20240101", "20240102", number)


def test_dates_of_digits_among_times_in_text(tmp_path: Path) -> None:
    mixed = ["2024-01-01T00:00:01Z", "20240101", "2024-01-01 00:00:02 UTC"]
    assert csv_times(tmp_path, *mixed) == [NEW_YEAR + 1, NEW_YEAR, NEW_YEAR + 2]


def test_dates_are_reported(tmp_path: Path) -> None:
    table = pa.table({"user_id": ["a"], "item_id": ["b"], "at": [20240101]})
    pyarrow.parquet.write_table(table, tmp_path / "log.parquet")
    lines: list[str] = []
    source = ParquetInteractions(path="log.parquet", columns=AT)
    found = read_interactions(source, base=tmp_path, notes=lines.append)
    assert found["timestamp"].to_pylist() == [NEW_YEAR]
    assert "column 'at' holds dates such as 20240101" in lines[0]


def test_other_times_are_refused_with_their_format(tmp_path: Path) -> None:
    message = "row 1: .*got '31/01/2024 10:00'; set date_format = '%d/%m/%Y %H:%M' if"
    with pytest.raises(DataError, match=message):
        csv_times(tmp_path, "31/01/2024 10:00")
    times = csv_times(tmp_path, "01/02/2024 00:00", date_format="%d/%m/%Y %H:%M")
    assert times == [NEW_YEAR + 31 * 86_400]
    with pytest.raises(DataError, match="expected a time written as date_format = '%d/%m/%Y'"):
        csv_times(tmp_path, "2024-01-01", date_format="%d/%m/%Y")


@pytest.mark.parametrize("registered", [True, False])
def test_periods_of_pandas_begin_with_their_first_moment(registered: bool, tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"]})
    frame["at"] = pd.PeriodIndex(["2024-01", None], freq="M")
    frame.to_parquet(tmp_path / "log.parquet")
    if registered:
        source = ParquetInteractions(path="log.parquet", columns=AT)
        table = read_interactions(source, base=tmp_path)
    else:  # what Arrow reads before pandas has registered its types
        field = pa.field("at", pa.int64(), metadata={"ARROW:extension:name": "pandas.period"})
        field = field.with_metadata(
            {**field.metadata, b"ARROW:extension:metadata": b'{"freq": "M"}'}
        )
        from recsys.formats.columns import interactions_table

        schema = pa.schema([("user_id", pa.string()), ("item_id", pa.string()), field])
        raw = pa.table([["a", "b"], ["x", "y"], [54 * 12, None]], schema=schema)
        table = interactions_table(raw, AT, name="log")
    assert table["timestamp"].to_pylist() == [NEW_YEAR, None]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pa.array([7], pa.int32()), pa.array([12], pa.int64())),
        (pa.array([7], pa.int64()), pa.array([12.0, None])),
        (pa.array([7], pa.uint64()), pa.array([12], pa.int8())),
        (pa.array(["7"]), pa.array([12])),
        (pa.array(["7"]).dictionary_encode(), pa.array(["12"], pa.large_string())),
        (pa.array([Decimal(7)], pa.decimal128(38, 0)), pa.array([12])),
        (pa.array([Decimal(7)], pa.decimal128(10, 2)), pa.array(["12"])),
        (pa.array([7]), pa.nulls(1)),
    ],
    ids=lambda ids: str(ids.type),
)
def test_parts_with_other_types_are_unified(
    first: pa.Array, second: pa.Array, tmp_path: Path
) -> None:
    table = parts(
        tmp_path,
        {"user_id": first, "item_id": ["x"]},
        {"user_id": second, "item_id": ["y"] * len(second)},
    )
    assert table["user_id"].to_pylist()[0] == "7"
    assert table["user_id"].to_pylist()[1] in ("12", None)


def test_parts_without_a_common_type_name_file_and_column(tmp_path: Path) -> None:
    message = r"part-1.parquet: column 'user_id' holds bool, in .*part-0.parquet it holds int64"
    with pytest.raises(DataError, match=message):
        parts(
            tmp_path,
            {"user_id": [1], "item_id": ["x"]},
            {"user_id": [True], "item_id": ["y"]},
        )


def test_decimal_ids_are_exact(tmp_path: Path) -> None:
    large = Decimal(10**30 + 1)
    ids = pa.array([large, None], pa.decimal128(38, 0))
    table = parts(tmp_path, {"user_id": ids, "item_id": ["x", "y"]})
    assert table["user_id"].to_pylist() == [str(10**30 + 1), None]
    with pytest.raises(DataError, match="row 1: expected text or a whole number, got '1.50'|1.50"):
        table = pa.table({"user_id": [Decimal("1.50")], "item_id": ["x"]})
        pyarrow.parquet.write_table(table, tmp_path / "log.parquet")
        read_interactions(ParquetInteractions(path="log.parquet"), base=tmp_path)


def test_other_files_than_parquet_are_named(tmp_path: Path) -> None:
    table = pa.table({"user_id": ["a"], "item_id": ["b"]})
    pyarrow.parquet.write_table(table, tmp_path / "log.parquet")
    whole = (tmp_path / "log.parquet").read_bytes()
    source = ParquetInteractions(path="log.parquet")
    for content, message in (
        (b"user_id,item_id\n", "log.parquet cannot be read: .*; set format = 'csv' if it is text"),
        (whole[:-20], "log.parquet cannot be read: it is cut short"),
    ):
        (tmp_path / "log.parquet").write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_interactions(source, base=tmp_path)
    (tmp_path / "log.csv").write_bytes(whole)
    with pytest.raises(DataError, match="log.csv is a parquet file: set format = 'parquet'"):
        read_interactions(CsvInteractions(path="log.csv"), base=tmp_path)


def test_lines_of_lightgcn_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("\ufeff0 7\n", encoding="utf-8")
    log = read_interactions(LightGcnInteractions(files={"train": "train.txt"}), base=tmp_path)
    assert log["user_id"].to_pylist() == ["0"]


@pytest.mark.parametrize("as_categories", [False, True])
def test_numbers_that_parquet_holds_as_text(as_categories: bool, tmp_path: Path) -> None:
    text = pa.array(["1.299,00", "5", None])
    prices = text.dictionary_encode() if as_categories else text
    table = pa.table({"item_id": ["a", "b", "c"], "price": prices, "size": [1.5, 2.0, 3.0]})
    pyarrow.parquet.write_table(table, tmp_path / "items.parquet")
    source = ParquetItems(path="items.parquet", decimal=",", thousands=".")
    found = read_items(source, tmp_path, ("price", "size"))
    assert found["price"].to_pylist() == ["1299.00", "5", None]
    assert found["size"].to_pylist() == [1.5, 2.0, 3.0]
