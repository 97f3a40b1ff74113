"""Text tables as programs write them: separators, quotation marks, compression, encodings."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from recsys.errors import DataError
from recsys.formats import (
    CsvInteractions,
    CsvItems,
    InteractionColumns,
    read_interactions,
    read_items,
)
from recsys.formats.delimited import number_format_of, read_csv

PLAIN = "user_id,item_id\nann,lamp\nbob,rug\n"
ROWS = [{"user_id": "ann", "item_id": "lamp"}, {"user_id": "bob", "item_id": "rug"}]


def read(content: str | bytes, **options: Any) -> tuple[list[dict[str, Any]], str]:
    data = content if isinstance(content, bytes) else content.encode()
    lines: list[str] = []
    table = read_csv(io.BytesIO(data), name="log.csv", notes=lines.append, **options)
    return table.to_pylist(), "\n".join(lines)


def zipped(content: bytes, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def test_a_plain_file_needs_no_notes() -> None:
    assert read(PLAIN) == (ROWS, "")
    assert read("\ufeff" + PLAIN) == (ROWS, "")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_detected_and_reported(separator: str) -> None:
    rows, notes = read(PLAIN.replace(",", separator))
    assert rows == ROWS and "separator = " in notes
    assert read(PLAIN.replace(",", separator), separator=separator) == (ROWS, "")


def test_the_separator_is_the_one_that_finds_the_columns() -> None:
    content = "user_id;item_id;text\nann;lamp;a, b, c, d\nbob;rug;a, b, c, d\n"
    rows, _ = read(content, columns=["user_id", "item_id"])
    assert rows == ROWS
    with pytest.raises(DataError, match="set separator = ';', by which its header is separated"):
        read(content, columns=["user_id", "item_id"], separator=",")
    assert read("sep=;\n" + PLAIN.replace(",", ";"))[0] == ROWS


@pytest.mark.parametrize(
    ("pack", "kind"),
    [
        (gzip.compress, "gzip"),
        (bz2.compress, "bz2"),
        (lzma.compress, "xz"),
        (lambda data: pa.Codec("zstd").compress(data, asbytes=True), "zstd"),
        (lambda data: gzip.compress(data[:20]) + gzip.compress(data[20:]), "gzip"),
        (lambda data: zipped(data, "log.csv", "__MACOSX/log.csv"), "zip"),
    ],
)
def test_compression_is_found_by_content(pack: Any, kind: str, tmp_path: Path) -> None:
    rows, notes = read(pack(PLAIN.encode()))
    assert rows == ROWS and notes == f"log.csv is compressed ({kind})"
    (tmp_path / "log.csv").write_bytes(pack(PLAIN.encode()))
    assert read_csv(tmp_path / "log.csv", name="log.csv").to_pylist() == ROWS
    (tmp_path / "log.csv.gz").write_text(PLAIN)  # the ending does not count
    assert read_csv(tmp_path / "log.csv.gz", name="log.csv").to_pylist() == ROWS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            gzip.compress(PLAIN.encode() * 99, mtime=0)[:60],
            r"compressed \(gzip\) and damaged or cut short",
        ),
        (zipped(b"", "a.csv", "b.csv"), r"a zip archive of 2 files \(a.csv, b.csv\); unpack it"),
        (zipped(b"", "[Content_Types].xml", "xl/sheet.xml"), "an Excel workbook; save the sheet"),
        (b"PAR1....", "is a parquet file: set format = 'parquet'"),
        (PLAIN.encode("utf-16-le"), "every other byte is 0; set encoding = 'utf-16-le'"),
        (b"user_id,item_id\nann,caf\xe9\n", r"line 2, column 'item_id'.*reads?? .*'ann,café'"),
        (b"\n\n", "is empty; expected a header line"),
    ],
    ids=["gzip", "zip", "workbook", "parquet", "utf-16", "latin-1", "empty"],
)
def test_other_files_are_refused_with_a_remedy(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(content)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_states_the_encoding(encoding: str) -> None:
    rows, notes = read(PLAIN.replace("rug", "café").encode(encoding))
    assert rows[1]["item_id"] == "café"
    assert ("byte order mark" in notes) == (encoding != "utf-8-sig")


@pytest.mark.parametrize(
    "content",
    [
        "user_id,item_id,,\nann,lamp,,\nbob,rug,,\n",
        "user_id,item_id\nann,lamp,\nbob,rug,\n",
        "user_id,item_id,,\nann,lamp\nbob,rug\n",
        ",user_id,item_id\n0,ann,lamp\n1,bob,rug\n",
    ],
)
def test_columns_without_a_name_are_not_read(content: str) -> None:
    assert read(content)[0] == ROWS


def log_of(*queries: str, separator: str = "\t") -> str:
    lines = [f"u{n}{separator}i{n}{separator}{n}{separator}{q}" for n, q in enumerate(queries)]
    return "\n".join([separator.join(["user_id", "item_id", "at", "query"]), *lines, ""])


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize(
    "queries",
    [
        ("red", '"blue lamp', "rug", 'big" rug', "red"),  # opened, and closed rows later
        ("red", '"blue lamp', "rug", "rug"),  # opened, and closed nowhere
        ("red", '"blue" lamp', "rug", "rug"),
        ("5'", '5" lamp', "rug"),
        ("red", '"blue', 'lamp"', "rug"),
    ],
)
def test_stray_quotation_marks_lose_no_row(queries: tuple[str, ...], separator: str) -> None:
    rows, _ = read(log_of(*queries, separator=separator))
    assert [row["query"] for row in rows] == list(queries)


def test_quoted_searches_next_to_stray_marks_are_as_written_in_a_tsv() -> None:
    queries = ('"red lamp"', '"blue', "rug")
    rows, notes = read(log_of(*queries))
    assert [row["query"] for row in rows] == list(queries)
    assert "those of line 3 do not enclose a value (quote = '')" in notes
    with pytest.raises(DataError, match="line 3: a quotation mark opens a value and no other"):
        read(log_of(*queries, separator=","))
    assert len(read(log_of(*queries, separator=","), quote="")[0]) == 3
    with pytest.raises(DataError, match="line 3: .*unexpected end of data"):
        read(log_of(*queries), quote='"')


def test_enclosing_marks_are_removed() -> None:
    rows, notes = read(log_of('"red, ""blue"""', "rug", '"two\nlines, of\ntext"', separator=","))
    assert [row["query"] for row in rows] == ['red, "blue"', "rug", "two\nlines, of\ntext"]
    assert notes == ""
    rows, notes = read(log_of('"say \\"hi\\", ok"', "rug", separator=","))
    assert rows[0]["query"] == 'say "hi", ok' and "a backslash escapes" in notes


def test_a_value_that_holds_rows_is_refused() -> None:
    content = log_of('"red, blue"', '"rug', "rug", 'lamp"', separator=",")
    with pytest.raises(DataError, match="line 3: a quoted value continues over 3 lines that look"):
        read(content)
    assert len(read(content, quote='"')[0]) == 2


def test_numbers_are_read_by_their_marks(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text('item_id;price\na;"1.299,50"\nb;5\nc;cheap\n')
    source = CsvItems(path="items.csv", decimal=",", thousands=".")
    items = read_items(source, base=tmp_path, numbers=["price"])
    assert items["price"].to_pylist() == ["1299.50", "5", "cheap"]
    (tmp_path / "log.csv").write_text("user_id;item_id;stars;at\na;b;4,5;31/12/2024\n")
    columns = InteractionColumns(weight="stars", timestamp="at")
    log = CsvInteractions(path="log.csv", columns=columns, decimal=",", date_format="%d/%m/%Y")
    assert read_interactions(log, base=tmp_path).to_pylist()[0] == {
        "user_id": "a",
        "item_id": "b",
        "timestamp": 1_735_603_200,
        "weight": 4.5,
    }


def test_a_number_with_other_marks_is_refused_with_the_keys(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id;item_id;stars\na;b;4,5\n")
    source = CsvInteractions(path="log.csv", columns=InteractionColumns(weight="stars"))
    with pytest.raises(DataError, match="row 1: expected a number, got '4,5'; set decimal = \",\""):
        read_interactions(source, base=tmp_path)


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        (["19.99", "5"], (".", "")),
        (["19,99", "5"], (",", "")),
        (["1,299.00", "19.99"], (".", ",")),
        (["1.299,00", "19,99"], (",", ".")),
        (["1 299,00", "1\u00a0299,00"], (",", " ")),
        (["1,299"], None),
        (["1,299.00", "19,99"], None),
        (["cheap"], None),
    ],
)
def test_the_marks_of_numbers_are_detected(values: list[str], marks: Any) -> None:
    found = number_format_of(pa.chunked_array([values]))
    assert (None if found is None else (found.decimal, found.thousands)) == marks
