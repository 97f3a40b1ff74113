"""Configurations of data to read, one section per format, with the meaning of their columns.

:func:`recsys.formats.resolve` resolves a ``path``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from recsys.config import Config
from recsys.interactions import EVENT, ITEM, POSITION, TERMS, TIMESTAMP, USER, WEIGHT

TimestampUnit = Literal["s", "ms", "us", "ns"]
RESERVED = (USER, ITEM, TIMESTAMP, POSITION, WEIGHT, EVENT, TERMS)


def _check_context(context: tuple[str, ...]) -> tuple[str, ...]:
    reserved = sorted(set(context) & set(RESERVED))
    if reserved:
        raise ValueError(
            f"'{reserved[0]}' is not a name for a context column; rename it in the file"
        )
    if len(set(context)) < len(context):
        raise ValueError("a context column is named twice")
    return context


def _check_date_format(value: str) -> str:
    if "%" not in value:
        raise ValueError("write the format as for strptime, such as '%d/%m/%Y %H:%M'")
    return value


DateFormat = Annotated[str, AfterValidator(_check_date_format)]
"""Format of times, with the directives of ``strptime``."""
ContextColumns = Annotated[tuple[str, ...], AfterValidator(_check_context)]
"""Names of context columns: none is reserved or named twice."""


class InteractionColumns(Config):
    """Names of the columns of a table of interactions; None where there is none.

    With neither ``timestamp`` nor ``position``, the order of the lines is the order in time.

    Attributes:
        user: User ids; strings or whole numbers.
        item: Item ids; strings or whole numbers.
        timestamp: Whole numbers in ``timestamp_unit`` since 1970, ISO-8601 text, or a
            parquet timestamp (without a time zone it is read as UTC).
        position: Whole numbers that order a user's interactions.
        weight: Numbers.
        event: Kinds of event, such as "view" and "buy".
        terms: Search terms that led to the interaction.
        context: Further columns, each a category.
        timestamp_unit: Unit of numeric timestamps; None for seconds, or for dates where most
            numbers are dates such as 20240131 (which is reported).
        date_format: Format of all times, as "%d/%m/%Y %H:%M"; None for the kinds of
            ``timestamp``.

    Example:
        >>> InteractionColumns(user="member", timestamp="at").item
        'item_id'
    """

    user: str = USER
    item: str = ITEM
    timestamp: str | None = None
    position: str | None = None
    weight: str | None = None
    event: str | None = None
    terms: str | None = None
    context: ContextColumns = ()
    timestamp_unit: TimestampUnit | None = None
    date_format: DateFormat | None = None

    @model_validator(mode="after")
    def _one_clock(self) -> InteractionColumns:
        if self.timestamp is not None and self.position is not None:
            raise ValueError("name a timestamp or a position column, not both")
        if self.timestamp_unit is not None and self.date_format is not None:
            raise ValueError("give timestamp_unit (for numbers) or date_format, not both")
        return self

    def named(self) -> dict[str, str]:
        """Columns to read, context included: the table's name of each, by the engine's name."""
        names = {
            USER: self.user,
            ITEM: self.item,
            TIMESTAMP: self.timestamp,
            POSITION: self.position,
            WEIGHT: self.weight,
            EVENT: self.event,
            TERMS: self.terms,
        }
        used = {own: name for own, name in names.items() if name is not None}
        return used | {name: name for name in self.context}


class NumberMarks(Config):
    """Marks in numbers that are written as text.

    Attributes:
        decimal: Decimal mark of numbers.
        thousands: Mark between groups of three digits of numbers; "" for none, " " for spaces.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""

    @model_validator(mode="after")
    def _different_marks(self) -> NumberMarks:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both '{self.decimal}'")
        return self


class _TextFile(NumberMarks):
    """Options of csv files.

    Attributes:
        separator: One character between the values; None to detect ",", ";", tabs or "|".
        quote: Quotation mark that encloses values, "" where marks are ordinary characters; None to
            detect by whether marks enclose values.
        escape: Character before a quotation mark inside of a quoted value; None to detect whether
            marks are doubled or follow a backslash.
        encoding: Encoding of the text; None for that of its byte order mark, else UTF-8.
        names: Columns of a file without a header line.
    """

    separator: str | None = Field(None, min_length=1, max_length=1)
    quote: str | None = Field(None, max_length=1)
    escape: str | None = Field(None, min_length=1, max_length=1)
    encoding: str | None = None
    names: tuple[str, ...] = ()


class _ItemTable(Config):
    """Options of tables of items.

    Attributes:
        path: Path of the file or folder.
        item: Column of the item ids.
        columns: Other columns to read; empty for all.
    """

    path: str
    item: str = ITEM
    columns: tuple[str, ...] = ()


class ParquetInteractions(NumberMarks):
    """A parquet file of interactions, or a folder of them.

    Attributes:
        path: Path of the file or folder.
        columns: Names of the columns.
    """

    format: Literal["parquet"] = "parquet"
    path: str
    columns: InteractionColumns = InteractionColumns()


class CsvInteractions(_TextFile):
    """A csv file of interactions, which may be compressed (gzip, bz2, xz, zstd, zip).

    Attributes:
        path: Path of the file.
        columns: Names of the columns.
        date_format: The same as ``columns.date_format``.
    """

    format: Literal["csv"] = "csv"
    path: str
    columns: InteractionColumns = InteractionColumns()
    date_format: DateFormat | None = None

    @model_validator(mode="after")
    def _one_date_format(self) -> CsvInteractions:
        if self.date_format is not None:
            given = self.columns.model_dump(exclude_unset=True)
            if given.get("date_format", self.date_format) != self.date_format:
                raise ValueError("date_format and columns.date_format differ; give one of them")
            InteractionColumns.model_validate({**given, "date_format": self.date_format})
        return self

    def dated_columns(self) -> InteractionColumns:
        """The columns, with the format of their times."""
        if self.date_format is None:
            return self.columns
        return self.columns.model_copy(update={"date_format": self.date_format})


class SequenceInteractions(Config):
    """Per-user sequences: a user, an item and its position, as parquet or csv (by the ending).

    A user has at most one item at each position.

    Attributes:
        path: Path of the file.
        user: Column of the user ids.
        item: Column of the item ids.
        position: Column of the positions.
    """

    format: Literal["sequences"] = "sequences"
    path: str
    user: str = USER
    item: str = ITEM
    position: str = POSITION


class MovieLensInteractions(Config):
    """The official MovieLens files, a folder or the publisher's zip archive.

    100K (``u.data``), 1M and 10M (``ratings.dat``), 20M, 25M and later (``ratings.csv``). The
    rating becomes the weight.

    Attributes:
        path: Path of the folder or archive.
        context: Columns of the users' file (100K: age, gender, occupation, zip; 1M: gender, age,
            occupation, zip); the later sets have none.
    """

    format: Literal["movielens"] = "movielens"
    path: str
    context: ContextColumns = ()


class RecBoleInteractions(Config):
    """RecBole atomic files: a folder with one ``.inter`` file, or that file.

    A folder of parts (NAME.part1.inter to part3, or train, valid and test) is read whole; the part
    becomes the context column "part", which the protocol "fixed" reads.

    Names are given without their type. The defaults of ``timestamp`` and ``weight`` are skipped
    where the file does not have the column.

    Attributes:
        path: Path of the file or folder.
        user: Column of the user ids.
        item: Column of the item ids.
        timestamp: Column of the times, in seconds.
        weight: Column of the weights.
        context: Columns of the ``.inter`` file, or of the ``.user`` file next to it.
    """

    format: Literal["recbole"] = "recbole"
    path: str
    user: str = USER
    item: str = ITEM
    timestamp: str | None = "timestamp"
    weight: str | None = "rating"
    context: ContextColumns = ()


class LightGcnInteractions(Config):
    """LightGCN text files: a line is a user and their items, separated by spaces.

    These files state no time: the position is the index in the line, and continues through the
    files in the order of ``files``.

    Attributes:
        files: File of each part ("train", "validation", "test"). The part becomes the context
            column "part".

    Example:
        >>> LightGcnInteractions(files={"train": "train.txt", "test": "test.txt"}).format
        'lightgcn'
    """

    format: Literal["lightgcn"] = "lightgcn"
    files: dict[str, str] = Field(min_length=1)


class ParquetItems(_ItemTable, NumberMarks):
    """A parquet file of items, or a folder of them."""

    format: Literal["parquet"] = "parquet"


class CsvItems(_ItemTable, _TextFile):
    """A csv file of items. Every value is text as written; an empty one is missing."""

    format: Literal["csv"] = "csv"


class MovieLensItems(Config):
    """The films of the official MovieLens files: item_id, title, genres ("A|B"), year.

    Attributes:
        path: Path of the folder or archive.
    """

    format: Literal["movielens"] = "movielens"
    path: str


class RecBoleItems(_ItemTable):
    """A RecBole ``.item`` file or the folder with it; the values of a ``token_seq`` stay
    separated by spaces: set ``data.fields.separator = " "``."""

    format: Literal["recbole"] = "recbole"


class SmartItems(Config):
    """The documents of a SMART collection (CACM, CISI, Cranfield): item_id, title, author, body.

    :func:`~recsys.formats.read_queries` and :func:`~recsys.formats.read_judgements` read the rest.

    Attributes:
        path: Path of the file of documents.
    """

    format: Literal["smart"] = "smart"
    path: str


class _StoreSource(Config):
    """Location and state of a store.

    Attributes:
        path: Path of a SQLite file.
        url: URL of a PostgreSQL database, without a password, since the configuration is published
            with the bundle: set PGPASSWORD, or write a ``.pgpass`` file.
        watermark: Sequence number of the last change to read; None for all when the run begins.
    """

    format: Literal["store"] = "store"
    path: str | None = None
    url: str | None = Field(None, pattern=r"^postgres(ql)?://([^:/@]*@)?[^:@]*(:\d+)?/[^@]+$")
    watermark: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _one_location(self) -> _StoreSource:
        if (self.path is None) == (self.url is None):
            raise ValueError("give the path of a SQLite file, or the url of a PostgreSQL database")
        return self


class StoreInteractions(_StoreSource):
    """The interactions of a store (see ``recsys.store``), with their times, events, weights, terms
    and context."""


class StoreItems(_StoreSource):
    """The items of a store, with their pictures.

    The meaning of the columns need not be given in ``data.fields``: titles and texts are text,
    lists are categories, numbers are numbers, and other attributes are for filters. Interactions
    with deleted or unknown items are left out, unless ``policy.unknown_items`` is set.
    """


InteractionSource = Annotated[
    ParquetInteractions
    | CsvInteractions
    | SequenceInteractions
    | MovieLensInteractions
    | RecBoleInteractions
    | LightGcnInteractions,
    Field(discriminator="format"),
]
ItemSource = Annotated[
    ParquetItems | CsvItems | MovieLensItems | RecBoleItems | SmartItems,
    Field(discriminator="format"),
]
