"""csv and parquet by a column mapping: ids as written, times in seconds, faults with their row."""

from __future__ import annotations

import gzip
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.config import parse_config
from recsys.errors import ConfigError, DataError
from recsys.formats import (
    CsvInteractions,
    CsvItems,
    InteractionColumns,
    ParquetInteractions,
    ParquetItems,
)
from tests.formats.frames import read_interactions, read_items

AT = InteractionColumns(timestamp="at")
NEW_YEAR = 1_704_067_200  # 2024-01-01T00:00:00Z


def csv(folder: Path, text: str, **more: object) -> pd.DataFrame:
    (folder / "log.csv").write_text(text, encoding="utf-8")
    return read_interactions(CsvInteractions(path="log.csv", **more), base=folder)


def parquet(folder: Path, table: dict, **more: object) -> pd.DataFrame:
    pyarrow.parquet.write_table(pa.table(table), folder / "log.parquet")
    return read_interactions(ParquetInteractions(path="log.parquet", **more), base=folder)


def test_ids_are_read_as_written(tmp_path: Path) -> None:
    log = csv(tmp_path, "user_id,item_id\n007,1.0\nNA,null\n 7 ,1e3\nné,日本\n")
    assert log.values.tolist() == [["007", "1.0"], ["NA", "null"], [" 7 ", "1e3"], ["né", "日本"]]


def test_configured_columns_are_read_and_others_skipped(tmp_path: Path) -> None:
    columns = InteractionColumns(
        user="who",
        item="what",
        timestamp="when",
        weight="stars",
        event="kind",
        terms="query",
        context=("device", "country"),
    )
    log = csv(
        tmp_path,
        "junk,who,what,when,stars,kind,query,device,country\n"
        "x,ann,lamp,10,4.5,view,desk lamp,phone,NL\n"
        "x,bob,rug,20,3,buy,,tablet,\n",
        columns=columns,
    )
    assert list(log) == [
        *("user_id", "item_id", "timestamp", "weight", "event", "terms", "device", "country"),
    ]
    assert log["timestamp"].tolist() == [10, 20]
    assert log["weight"].tolist() == [4.5, 3.0]
    assert log["terms"].isna().tolist() == [False, True]
    assert log["country"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("written", "unit", "seconds"),
    [
        ("1704067200", "s", NEW_YEAR),
        ("1704067200.9", "s", NEW_YEAR),
        ("1.7040672e9", "s", NEW_YEAR),
        ("1704067200123", "ms", NEW_YEAR),
        ("-1", "s", -1),
        ("-1", "ms", -1),
        ("2024-01-01", "s", NEW_YEAR),
        ("2024-01-01", "ms", NEW_YEAR),
        ("2024-01-01T00:00:00Z", "s", NEW_YEAR),
        ("2024-01-01 02:00:00.75+02:00", "s", NEW_YEAR),
        ("1969-12-31T23:59:59.5Z", "s", -1),
    ],
)
def test_times_become_seconds(tmp_path: Path, written: str, unit: str, seconds: int) -> None:
    columns = InteractionColumns(timestamp="at", timestamp_unit=unit)
    log = csv(tmp_path, f"user_id,item_id,at\na,b,{written}\n", columns=columns)
    assert log["timestamp"].tolist() == [seconds]


def test_a_column_may_mix_numbers_and_iso_times(tmp_path: Path) -> None:
    log = csv(tmp_path, "user_id,item_id,at\na,b,5\na,c,2024-01-01\na,d,\n", columns=AT)
    assert log["timestamp"].tolist() == [5, NEW_YEAR, pd.NA]
    assert log["timestamp"].dtype == pd.Int64Dtype()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("soon", "row 2: expected a number in 's' since 1970 or ISO-8601 text, got 'soon'"),
        ("2024-13-01", "row 2.*got '2024-13-01'"),
        ("inf", "row 2.*got 'inf'"),
        ("1704067200123", r"row 2.*between the years 1 and 9999 \(is its unit 's'\?\)"),
    ],
)
def test_a_bad_time_is_reported_with_its_row(tmp_path: Path, value: str, text: str) -> None:
    with pytest.raises(DataError, match=f"log.csv: column 'at', {text}"):
        csv(tmp_path, f"user_id,item_id,at\na,b,1\na,c,{value}\n", columns=AT)


def test_a_parquet_timestamp_out_of_range_is_reported_with_its_row(tmp_path: Path) -> None:
    times = pa.array([1, None, 1_704_067_200_123], pa.timestamp("s"))
    table = pa.table({"user_id": ["a"] * 3, "item_id": ["b"] * 3, "at": times})
    pa.parquet.write_table(table, tmp_path / "log.parquet")
    source = ParquetInteractions(path="log.parquet", columns=AT)
    with pytest.raises(DataError, match=r"row 3: expected a moment between the years 1 and 9999"):
        read_interactions(source, base=tmp_path)
    log = read_interactions(source, base=tmp_path, unreadable="missing")
    assert log["timestamp"][0] == 1 and log["timestamp"][1:].isna().all()


def test_a_bad_number_is_reported_with_its_row(tmp_path: Path) -> None:
    columns = InteractionColumns(weight="stars")
    text = "log.csv: column 'stars', row 3: expected a number, got 'many'; .*bad_rows = 'skip'"
    with pytest.raises(DataError, match=text):
        csv(tmp_path, "user_id,item_id,stars\na,b,1\na,c,\na,d,many\n", columns=columns)


def test_a_position_is_a_whole_number(tmp_path: Path) -> None:
    columns = InteractionColumns(position="nth")
    assert csv(tmp_path, "user_id,item_id,nth\na,b,3.0\n", columns=columns)["position"][0] == 3
    with pytest.raises(DataError, match="column 'nth', row 1: expected a whole number, got '1.5'"):
        csv(tmp_path, "user_id,item_id,nth\na,b,1.5\n", columns=columns)


def test_unreadable_values_may_become_null(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,item_id,at,w\na,b,soon,x\na,c,9999999999999,2\n")
    columns = InteractionColumns(timestamp="at", weight="w")
    source = CsvInteractions(path="log.csv", columns=columns)
    log = read_interactions(source, base=tmp_path, unreadable="missing")
    assert log["timestamp"].isna().all()
    assert pd.isna(log["weight"][0]) and log["weight"][1] == 2


def test_a_missing_column_names_the_nearest_and_the_present(tmp_path: Path) -> None:
    text = "log.csv: no column 'item_id'; did you mean 'itemid'.*its columns: user_id, itemid"
    with pytest.raises(DataError, match=text):
        csv(tmp_path, "user_id,itemid\na,b\n")
    with pytest.raises(
        DataError, match="log.parquet: no column 'at'.*its columns: user_id, item_id"
    ):
        parquet(tmp_path, {"user_id": ["a"], "item_id": ["b"]}, columns=AT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "log.csv is empty; expected a header line"),
        ("user_id,item_id\na,b\na\n", "row 2 has 1 values, the header 2: 'a'"),
        ("user_id,item_id\na,b,c\n", "row 1 has 3 values, the header 2"),
        ("user_id,user_id,item_id\na,b,c\n", "column 'user_id' is there twice"),
    ],
)
def test_a_csv_file_of_the_wrong_shape_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        csv(tmp_path, text)


def test_csv_dialects(tmp_path: Path) -> None:
    expected = [["é,1", "b"]]
    quoted = '\ufeffuser_id,item_id\r\n"é,1",b\r\n'
    assert csv(tmp_path, quoted).values.tolist() == expected
    assert csv(
        tmp_path, "é,1\tb\n", separator="\t", names=("user_id", "item_id")
    ).values.tolist() == (expected)
    with gzip.open(tmp_path / "log.csv.gz", "wt", encoding="utf-8") as file:
        file.write("user_id;item_id\né,1;b\n")
    packed = CsvInteractions(path="log.csv.gz", separator=";")
    assert read_interactions(packed, base=tmp_path).values.tolist() == expected
    (tmp_path / "old.csv").write_bytes("user_id;item_id\né,1;b\n".encode("latin-1"))
    old = CsvInteractions(path="old.csv", separator=";", encoding="latin-1")
    assert read_interactions(old, base=tmp_path).values.tolist() == expected
    with pytest.raises(
        DataError,
        match="old.csv, line 2, column 'user_id': the text is not UTF-8.*encoding = 'cp1252'",
    ):
        read_interactions(CsvInteractions(path="old.csv", separator=";"), base=tmp_path)
    with pytest.raises(DataError, match="old.csv: the encoding 'klingon' is not known"):
        wrong = CsvInteractions(path="old.csv", encoding="klingon")
        read_interactions(wrong, base=tmp_path)


def test_a_line_break_inside_quotes_is_part_of_the_value(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text('item_id,text\na,"two\nlines, ""quoted"""\nb,\n')
    items = read_items(CsvItems(path="items.csv"), base=tmp_path)
    assert items["text"][0] == 'two\nlines, "quoted"'
    assert pd.isna(items["text"][1])


def test_missing_files_are_refused(tmp_path: Path) -> None:
    for source in (CsvInteractions(path="no.csv"), ParquetInteractions(path="no.parquet")):
        with pytest.raises(DataError, match="no\\.(csv|parquet).* is not there"):
            read_interactions(source, base=tmp_path)
    (tmp_path / "bad.parquet").write_text("no parquet")
    with pytest.raises(DataError, match="bad.parquet cannot be read"):
        read_interactions(ParquetInteractions(path="bad.parquet"), base=tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty holds no .parquet file"):
        read_interactions(ParquetInteractions(path="empty"), base=tmp_path)


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([7, 12], pa.int64()),
        pa.array([7, 12], pa.uint8()),
        pa.array([7.0, 12.0], pa.float64()),
        pa.array(["7", "12"], pa.string()),
        pa.array(["7", "12"], pa.large_string()),
        pa.array([b"7", b"12"], pa.binary()),
        pa.array(["7", "12"]).dictionary_encode(),
    ],
    ids=lambda ids: str(ids.type),
)
def test_parquet_ids_of_every_type(tmp_path: Path, ids: pa.Array) -> None:
    log = parquet(tmp_path, {"user_id": ids, "item_id": ids})
    assert log["user_id"].tolist() == ["7", "12"] == log["item_id"].tolist()


def test_missing_ids_stay_missing(tmp_path: Path) -> None:
    log = parquet(tmp_path, {"user_id": [1, None], "item_id": ["", "b"]})
    assert log["user_id"].isna().tolist() == [False, True]
    assert log["item_id"].isna().tolist() == [True, False]
    with_gap = parquet(tmp_path, {"user_id": [float("nan"), 3.0], "item_id": ["a", "b"]})
    assert with_gap["user_id"].isna().tolist() == [True, False]
    assert with_gap["user_id"][1] == "3"


def test_invalid_parquet_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column 'user_id', row 2: expected text or a whole.*1.5"):
        parquet(tmp_path, {"user_id": [1.0, 1.5], "item_id": ["a", "b"]})
    with pytest.raises(DataError, match="column 'user_id' must hold ids.*it holds list"):
        parquet(tmp_path, {"user_id": [[1], [2]], "item_id": ["a", "b"]})
    with pytest.raises(DataError, match="column 'user_id' must hold ids.*it holds bool"):
        parquet(tmp_path, {"user_id": [True], "item_id": ["a"]})
    with pytest.raises(DataError, match="column 'user_id' cannot be read as text"):
        parquet(tmp_path, {"user_id": [b"\xff"], "item_id": ["a"]})


@pytest.mark.parametrize(
    "at",
    [
        pa.array([NEW_YEAR]),
        pa.array([float(NEW_YEAR)]),
        pa.array(["2024-01-01"]),
        pa.array([date(2024, 1, 1)]),
        pa.array([datetime(2024, 1, 1)], pa.timestamp("ms")),
        pa.array([datetime(2024, 1, 1, 0, 0, 0, 999)], pa.timestamp("us")),
        pa.array([datetime(2024, 1, 1, tzinfo=timezone.utc)], pa.timestamp("ns", "Asia/Tokyo")),
    ],
    ids=lambda at: str(at.type),
)
def test_parquet_times_of_every_type(tmp_path: Path, at: pa.Array) -> None:
    log = parquet(tmp_path, {"user_id": ["a"], "item_id": ["b"], "at": at}, columns=AT)
    assert log["timestamp"].tolist() == [NEW_YEAR]


def test_parquet_numbers_of_every_type(tmp_path: Path) -> None:
    columns = InteractionColumns(weight="w")
    for values in ([2], [2.0], ["2"], [Decimal("2.00")]):
        log = parquet(tmp_path, {"user_id": ["a"], "item_id": ["b"], "w": values}, columns=columns)
        assert log["weight"].tolist() == [2.0]
    with pytest.raises(DataError, match="column 'w' must hold numbers; it holds list"):
        parquet(tmp_path, {"user_id": ["a"], "item_id": ["b"], "w": [[2]]}, columns=columns)


def test_context_is_text(tmp_path: Path) -> None:
    columns = InteractionColumns(context=("hour", "new", "part"))
    made = {"user_id": ["a"] * 2, "item_id": ["b"] * 2, "hour": [3.0, None], "new": [True, False]}
    log = parquet(tmp_path, made | {"part": ["train", ""]}, columns=columns)
    assert log["hour"].tolist()[0] == "3" and pd.isna(log["hour"][1])
    assert log["new"].tolist() == ["true", "false"]
    assert pd.isna(log["part"][1])


def test_a_folder_of_parquet_files_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    for name, user in (("b", "late"), ("a", "early")):
        table = pa.table({"user_id": [user], "item_id": ["x"]})
        pyarrow.parquet.write_table(table, tmp_path / "log" / f"{name}.parquet")
    log = read_interactions(ParquetInteractions(path="log"), base=tmp_path)
    assert log["user_id"].tolist() == ["early", "late"]


def test_items_keep_their_columns_and_types(tmp_path: Path) -> None:
    table = pa.table(
        {"sku": [3, 4], "price": [1.5, None], "year": [1999, None], "tags": [["a"], []]}
    )
    pyarrow.parquet.write_table(table, tmp_path / "items.parquet")
    items = read_items(ParquetItems(path="items.parquet", item="sku"), base=tmp_path)
    assert list(items) == ["item_id", "price", "year", "tags"]
    assert items["item_id"].tolist() == ["3", "4"]
    assert items["year"].dtype == pd.Int64Dtype()  # 1999, not 1999.0
    chosen = ParquetItems(path="items.parquet", item="sku", columns=("year",))
    assert list(read_items(chosen, base=tmp_path)) == ["item_id", "year"]


def test_items_without_an_id_column_are_refused(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("sku,item_id\na,b\n")
    with pytest.raises(DataError, match="no column 'id'.*its columns: sku, item_id"):
        read_items(CsvItems(path="items.csv", item="id"), base=tmp_path)
    with pytest.raises(DataError, match="named by 'sku', but there is a column 'item_id' too"):
        read_items(CsvItems(path="items.csv", item="sku"), base=tmp_path)


def test_contradicting_column_mappings_are_refused() -> None:
    with pytest.raises(ConfigError, match="a timestamp or a position column, not both"):
        parse_config({"timestamp": "a", "position": "b"}, InteractionColumns)
    with pytest.raises(ConfigError, match="'weight' is not a name for a context column"):
        parse_config({"context": ["weight"]}, InteractionColumns)
    with pytest.raises(ConfigError, match="named twice"):
        parse_config({"context": ["a", "a"]}, InteractionColumns)


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(WORDS, WORDS, st.integers(-62_135_596_800, 253_402_300_799)), min_size=1
    )
)
def test_csv_and_parquet_of_pandas_round_trip(
    tmp_path: Path, rows: list[tuple[str, str, int]]
) -> None:
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "at"])
    table.to_csv(tmp_path / "log.csv", index=False, quoting=1)
    table.to_parquet(tmp_path / "log.parquet", index=False)
    for source in (
        CsvInteractions(path="log.csv", columns=AT),
        ParquetInteractions(path="log.parquet", columns=AT),
    ):
        assert read_interactions(source, base=tmp_path).values.tolist() == table.values.tolist()
