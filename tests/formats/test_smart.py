"""SMART collections, from files made by hand, at random, and CISI itself."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.formats import SmartItems, read_documents, read_judgements, read_queries
from recsys.formats.smart import SECTIONS
from tests.formats.frames import read_items

# As CISI has it: blanks behind a marker, an author a section, sections of no interest.
DOCUMENTS = """\
.I 1
.T
On Shelves:
a study
.A
Author A
.A
Author B
.W
   Books stand
on  them.

.Not a section, and .5 is none either
.X
1\t5\t1
.I 2
.T
Bare
.I 03
.K
thing
.W
.B
 (JASIS, 1980)
"""
QUERIES = """\
.I 1
.W
What stands
on shelves?

.I 2
.T
Shelves
.A
Author A
.W
 A text.
.B
(1980)
"""
JUDGEMENTS = "     1     03\t0\t0.000000\n     1      1\t0\t0.000000\n\n2 1\n"


def write(folder: Path, content: str | bytes, name: str = "SMALL.ALL") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(table: pa.Table) -> list[list[str | None]]:
    return [list(row.values()) for row in table.to_pylist()]


def test_documents_have_title_author_and_body_where_they_do(tmp_path: Path) -> None:
    read = read_documents(write(tmp_path, DOCUMENTS))
    assert read.column_names == ["item_id", "title", "author", "body"]
    assert rows(read) == [
        [
            "1",
            "On Shelves: a study",
            "Author A; Author B",
            "Books stand on them. .Not a section, and .5 is none either",
        ],
        ["2", "Bare", None, None],
        ["03", None, None, None],
    ]


def test_line_ends_marks_and_blanks_of_other_systems_change_nothing(tmp_path: Path) -> None:
    expected = read_documents(write(tmp_path, DOCUMENTS))
    for content in (
        DOCUMENTS.replace("\n", "\r\n"),
        "\ufeff" + DOCUMENTS,
        "\n\n" + DOCUMENTS.replace(".T\n", ".T \t \n").replace(".I 2\n", ".I   2  \n"),
        DOCUMENTS.rstrip("\n"),
    ):
        assert read_documents(write(tmp_path, content)).equals(expected)


def test_older_files_are_latin_1(tmp_path: Path) -> None:
    content = ".I 1\n.T\nBibliothèques\n"
    for encoding in ("utf-8", "latin-1"):
        read = read_documents(write(tmp_path, content.encode(encoding)))
        assert read["title"].to_pylist() == ["Bibliothèques"]


def test_documents_are_items_of_the_engine(tmp_path: Path) -> None:
    write(tmp_path, DOCUMENTS)
    items = read_items(SmartItems(path="SMALL.ALL"), base=tmp_path)
    assert items["item_id"].tolist() == ["1", "2", "03"]


def test_a_query_is_its_title_and_its_text(tmp_path: Path) -> None:
    read = read_queries(write(tmp_path, QUERIES, "SMALL.QRY"))
    assert read.column_names == ["query_id", "terms"]
    assert rows(read) == [["1", "What stands on shelves?"], ["2", "Shelves A text."]]


def test_judgements_are_pairs_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, JUDGEMENTS, "SMALL.REL")
    read = read_judgements(path, queries=["1", "2"], documents=["1", "2", "03"])
    assert read.column_names == ["query_id", "item_id"]
    assert rows(read) == [["1", "03"], ["1", "1"], ["2", "1"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "SMALL.ALL holds no document; expected records that begin with '.I' and an id"),
        ("\n \n", "holds no document"),
        ("text\n.I 1\n", "line 1: expected '.I' and an id, got 'text'; begin with it"),
        (".I 1\n.T\na\n.I\n", "line 4: expected '.I' and the document's id, one word, got None"),
        (".I 1 2\n", "line 1: expected '.I' and the document's id, one word, got '1 2'"),
        (
            ".I 1\n.T\na\n.I 1 \n",
            "line 4: document '1' began in line 1 already; ids must be unique, rename or take out",
        ),
        (
            ".I 1\n\nloose\n",
            "line 3: expected a section such as '.T' or '.W' after '.I 1', got 'loose'; put one",
        ),
        (
            ".I 1\n.W\n.Q\n",
            r"line 3: '.Q' is no section; there are: .T title, .*\. If it is text, put a blank",
        ),
    ],
)
def test_invalid_documents_are_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_documents(write(tmp_path, content))


def test_a_path_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="NONE cannot be read: No such file.*; name the file"):
        read_documents(tmp_path / "NONE")
    with pytest.raises(DataError, match="cannot be read: Is a directory; name the file itself"):
        read_documents(tmp_path)


def test_a_query_without_words(tmp_path: Path) -> None:
    path = write(tmp_path, QUERIES + ".I 9\n.A\nAuthor A\n.W\n \n", "SMALL.QRY")
    with pytest.raises(DataError, match="line 15: query '9' has no words; give it a line '.W'"):
        read_queries(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n", "holds no judgement; expected lines of 'query document'"),
        ("1\n", "line 1: expected the ids of a query and a document, and up to two values more"),
        ("1 1\n1 2 0 0 0\n", "line 2: expected the ids .* got '1 2 0 0 0'; fix the line"),
        ("9 1\n", "line 1: unknown query '9'; take the line out, or add the query"),
        ("01 1\n", "line 1: unknown query '01'; did you mean '1'\\?; take the line out"),
        ("1 1\n\n1 3\n", "line 3: unknown document '3'; did you mean '03'\\?.*add the document"),
        ("1 2\n2 1\n1 2 0 0\n", "line 3: document '2' is relevant to query '1' already in line 1"),
    ],
)
def test_invalid_judgements_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path, content, "SMALL.REL")
    with pytest.raises(DataError, match=message):
        read_judgements(path, queries=["1", "2"], documents=["1", "2", "03"])


_line = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).filter(
    lambda line: line.strip()[:1] != "."
)
_pieces = st.sampled_from([".I", ".I 1", ".I 2", ".T", ".W ", "a", "", ".Q", "\x00"])
_section = st.tuples(st.sampled_from(sorted(SECTIONS)), st.lists(_line, max_size=3))


@settings(max_examples=60)
@given(records=st.lists(st.lists(_section, max_size=5), min_size=1, max_size=4))
def test_written_documents_are_read(
    tmp_path_factory: pytest.TempPathFactory, records: list[list[tuple[str, list[str]]]]
) -> None:
    lines = []
    for at, record in enumerate(records):
        lines.append(f".I {at}")
        for letter, text in record:
            lines += [f".{letter}", *text]
    content = "\n".join(lines)
    read = read_documents(write(tmp_path_factory.mktemp("smart"), content))
    assert read["item_id"].to_pylist() == [str(at) for at in range(len(records))]
    for column, letter in (("title", "T"), ("body", "W")):
        for value, record in zip(read[column].to_pylist(), records):
            text = [line for name, lines in record if name == letter for line in lines]
            assert (value or "").split() == " ".join(text).split()


@settings(max_examples=200)
@given(content=st.lists(_pieces))
def test_any_other_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: list[str]
) -> None:
    path = write(tmp_path_factory.mktemp("smart"), "\n".join(content))
    try:
        read = read_documents(path)
    except DataError as error:
        assert str(path) in error.message
    else:
        assert len(set(read["item_id"].to_pylist())) == len(read) > 0


@pytest.mark.realdata
def test_cisi(real_data: Path) -> None:
    folder = real_data / "cisi"
    documents = read_documents(folder / "CISI.ALL")
    queries = read_queries(folder / "CISI.QRY")
    ids = {"queries": queries["query_id"], "documents": documents["item_id"]}
    known = {name: column.to_pylist() for name, column in ids.items()}
    judgements = read_judgements(folder / "CISI.REL", **known)
    assert (len(documents), len(queries), len(judgements)) == (1_460, 112, 3_114)
    assert len(set(judgements["query_id"].to_pylist())) == 76
    assert documents["title"][0].as_py() == "18 Editions of the Dewey Decimal Classifications"
    assert not any(column.null_count for column in documents.columns)
