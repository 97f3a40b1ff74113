"""SMART collections: documents, queries, and relevance judgements.

The layout is that of Salton's SMART system, used by CACM, CISI, Cranfield, MED and others: a record
begins with ``.I id``, its sections with a line of a dot and a letter. Judgements are lines that
begin with the ids of a query and a document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from recsys.errors import DataError, suggestion
from recsys.formats.columns import TEXT
from recsys.formats.tables import encoding_of
from recsys.interactions import ITEM, TERMS

QUERY = "query_id"
TITLE, AUTHOR, BODY = "title", "author", "body"
SECTIONS = {
    "T": "title",
    "A": "author",
    "W": "body",
    "B": "where it appeared",
    "K": "keywords",
    "C": "categories",
    "N": "notes",
    "X": "references",
}
"""Contents of the sections; the first three become columns."""

_ID = re.compile(r"\.I(?:[ \t]+(\S.*))?")
_SECTION = re.compile(r"\.([A-Z])")


@dataclass
class _Record:
    """One record: its id, the line it begins at, and per section its lines without outer blanks."""

    id: str
    line: int
    sections: dict[str, list[str]] = field(default_factory=dict)

    def text(self, letter: str, joint: str = " ") -> str | None:
        lines = [line for line in self.sections.get(letter, ()) if line]
        return joint.join(lines) if lines else None


def read_documents(path: Path) -> pa.Table:
    """Columns item_id, title, author and body, one row per document in the order of the file.

    Lines are joined by a blank, authors by "; ". A section that a document lacks is null. Other
    sections of :data:`SECTIONS` are skipped.

    Example:
        >>> import tempfile; path = Path(tempfile.mkdtemp()) / "SMALL.ALL"
        >>> _ = path.write_text(".I 1\\n.T\\nShelves\\n.A\\nAuthor A\\n.W\\n They\\nhold books.\\n")
        >>> list(read_documents(path).to_pylist()[0].values())
        ['1', 'Shelves', 'Author A', 'They hold books.']
    """
    rows = [
        (record.id, record.text("T"), record.text("A", "; "), record.text("W"))
        for record in _records(path, "document")
    ]
    return _table(rows, ITEM, TITLE, AUTHOR, BODY)


def read_queries(path: Path) -> pa.Table:
    """Columns query_id and terms, one row per query: the words of its title and its body."""
    rows = []
    for record in _records(path, "query"):
        terms = " ".join(text for letter in "TW" if (text := record.text(letter)))
        if not terms:
            raise DataError(
                f"{path}, line {record.line}: query '{record.id}' has no words; give it a line"
                " '.W' and its text, or take it out"
            )
        rows.append((record.id, terms))
    return _table(rows, QUERY, TERMS)


def read_judgements(path: Path, *, queries: Iterable[str], documents: Iterable[str]) -> pa.Table:
    """Columns query_id and item_id, one row per relevant document, in the order of the file.

    A line holds the ids of a query and a document, and up to two further values, which are skipped.
    """
    known = {"query": frozenset(queries), "document": frozenset(documents)}
    first: dict[tuple[str, str], int] = {}
    for number, line in enumerate(_lines(path), 1):
        values = line.split()
        if not values:
            continue
        if not 2 <= len(values) <= 4:
            raise DataError(
                f"{path}, line {number}: expected the ids of a query and a document, and up to two"
                f" values more, got {line.strip()!r:.80}; fix the line"
            )
        pair = values[0], values[1]
        for (kind, ids), value in zip(known.items(), pair):
            if value not in ids:
                raise DataError(
                    f"{path}, line {number}: unknown {kind} '{value:.40}'{_near(value, ids)}; take"
                    f" the line out, or add the {kind}"
                )
        if pair in first:
            raise DataError(
                f"{path}, line {number}: document '{pair[1]}' is relevant to query '{pair[0]}'"
                f" already in line {first[pair]}; take one of the lines out"
            )
        first[pair] = number
    if not first:
        raise DataError(f"{path} holds no judgement; expected lines of 'query document'")
    return _table(list(first), QUERY, ITEM)


def _table(rows: Sequence[Sequence[str | None]], *names: str) -> pa.Table:
    return pa.table({name: pa.array(values, TEXT) for name, values in zip(names, zip(*rows))})


def _records(path: Path, kind: str) -> list[_Record]:
    """The records of a file, each id once."""
    records: dict[str, _Record] = {}
    record: _Record | None = None
    section: list[str] | None = None
    for number, line in enumerate(_lines(path), 1):
        at = f"{path}, line {number}"
        bare = line.strip()
        if marker := _ID.fullmatch(line.rstrip()):
            record = _Record(_id_of(marker[1], at, kind), number)
            if record.id in records:
                raise DataError(
                    f"{at}: {kind} '{record.id}' began in line {records[record.id].line} already;"
                    " ids must be unique, rename or take out one of them"
                )
            records[record.id], section = record, None
        elif record is None:
            if bare:
                raise DataError(f"{at}: expected '.I' and an id, got {bare!r:.80}; begin with it")
        elif marker := _SECTION.fullmatch(line.rstrip()):
            if marker[1] not in SECTIONS:
                known = ", ".join(f".{letter} {name}" for letter, name in SECTIONS.items())
                raise DataError(
                    f"{at}: '.{marker[1]}' is no section; there are: {known}. If it is text, put"
                    " a blank before it"
                )
            section = record.sections.setdefault(marker[1], [])
        elif section is not None:
            section.append(" ".join(bare.split()))
        elif bare:
            raise DataError(
                f"{at}: expected a section such as '.T' or '.W' after '.I {record.id}', got"
                f" {bare!r:.80}; put one before it"
            )
    if not records:
        raise DataError(f"{path} holds no {kind}; expected records that begin with '.I' and an id")
    return list(records.values())


def _id_of(value: str | None, at: str, kind: str) -> str:
    if value is None or len(value.split()) != 1:
        raise DataError(f"{at}: expected '.I' and the {kind}'s id, one word, got {value!r:.80}")
    return value


def _lines(path: Path) -> list[str]:
    """UTF-8 or Latin-1; only line feeds end a line, so that the numbers are those of an editor."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; name the file itself") from error
    return content.decode(encoding_of(content)).removeprefix("\ufeff").split("\n")


def _near(value: str, known: Collection[str]) -> str:
    bare = value.lstrip("0")
    return f"; did you mean '{bare}'?" if bare in known else suggestion(value, sorted(known))
