"""What to read and how its columns are named: one typed section a format.

Reading itself is the business of the sibling modules. A ``path`` is resolved by
:func:`recsys.formats.resolve`: ``data:NAME/rest`` is found by name, any other path is relative to
the folder that the caller names (for a configuration, the folder it is in).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from recsys.config import Config
from recsys.interactions import EVENT, ITEM, POSITION, TERMS, TIMESTAMP, USER, WEIGHT

TimestampUnit = Literal["s", "ms", "us", "ns"]
RESERVED = (USER, ITEM, TIMESTAMP, POSITION, WEIGHT, EVENT, TERMS)


class InteractionColumns(Config):
    """Which column of a table of interactions means what; None where there is none.

    With neither ``timestamp`` nor ``position``, the order of the lines is the order in time.

    Attributes:
        user: User ids; strings or whole numbers.
        item: Item ids; strings or whole numbers.
        timestamp: Whole numbers in ``timestamp_unit`` since 1970, ISO-8601 text, or a
            parquet timestamp (without a time zone it is taken as UTC).
        position: Whole numbers that order a user's interactions.
        weight: Numbers.
        event: Kinds of event, such as "view" and "buy".
        terms: The search that led to the interaction.
        context: Further columns, each a category.
        timestamp_unit: The unit of numeric timestamps.

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
    context: tuple[str, ...] = ()
    timestamp_unit: TimestampUnit = "s"

    @model_validator(mode="after")
    def _one_clock(self) -> InteractionColumns:
        if self.timestamp is not None and self.position is not None:
            raise ValueError("name a timestamp or a position column, not both")
        return self

    @field_validator("context")
    @classmethod
    def _not_reserved(cls, context: tuple[str, ...]) -> tuple[str, ...]:
        return not_reserved(context)

    def named(self) -> dict[str, str]:
        """From the engine's name to the table's, of the columns to be read, context included."""
        pairs = {
            USER: self.user,
            ITEM: self.item,
            TIMESTAMP: self.timestamp,
            POSITION: self.position,
            WEIGHT: self.weight,
            EVENT: self.event,
            TERMS: self.terms,
        }
        used = {mine: theirs for mine, theirs in pairs.items() if theirs is not None}
        return used | {name: name for name in self.context}


def not_reserved(context: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse context columns whose name already means something, or that are named twice."""
    taken = sorted({name for name in context if name in RESERVED})
    if taken:
        raise ValueError(f"'{taken[0]}' is not a name for a context column; rename it in the file")
    if len(set(context)) < len(context):
        raise ValueError("a context column is named twice")
    return context


class ParquetInteractions(Config):
    """A parquet file of interactions, or a folder of them with equal columns."""

    format: Literal["parquet"] = "parquet"
    path: str
    columns: InteractionColumns = InteractionColumns()


class CsvInteractions(Config):
    """A csv file of interactions; ``.gz``, ``.bz2`` and ``.zst`` are unpacked while reading.

    Attributes:
        separator: One character between the values.
        encoding: Of the text.
        names: The columns of a file without a header line.
    """

    format: Literal["csv"] = "csv"
    path: str
    columns: InteractionColumns = InteractionColumns()
    separator: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    names: tuple[str, ...] = ()


class SequenceInteractions(Config):
    """Per-user sequences: a user, an item and its position, as parquet or csv (by the ending).

    A user has at most one item at each position.
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
        context: Columns of the users' file (100K: age, gender, occupation, zip; 1M: gender, age,
            occupation, zip); the later sets have none.
    """

    format: Literal["movielens"] = "movielens"
    path: str
    context: tuple[str, ...] = ()

    @field_validator("context")
    @classmethod
    def _not_reserved(cls, context: tuple[str, ...]) -> tuple[str, ...]:
        return not_reserved(context)


class RecBoleInteractions(Config):
    """RecBole atomic files: a folder with one ``.inter`` file, or that file.

    Names are given without their type. ``timestamp`` and ``weight`` are left out where the file
    does not have the column and the configuration did not ask for it.

    Attributes:
        context: Columns of the ``.inter`` or of the ``.user`` file beside it.
    """

    format: Literal["recbole"] = "recbole"
    path: str
    user: str = USER
    item: str = ITEM
    timestamp: str | None = "timestamp"
    weight: str | None = "rating"
    context: tuple[str, ...] = ()

    @field_validator("context")
    @classmethod
    def _not_reserved(cls, context: tuple[str, ...]) -> tuple[str, ...]:
        return not_reserved(context)


class LightGcnInteractions(Config):
    """LightGCN text files: a line is a user and their items, separated by spaces.

    These files do not state a time: the position is the place in the line, and goes on through
    the files in the order of ``files``.

    Attributes:
        files: From a part ("train", "validation", "test") to its file. The part becomes the
            context column "part".

    Example:
        >>> LightGcnInteractions(files={"train": "train.txt", "test": "test.txt"}).format
        'lightgcn'
    """

    format: Literal["lightgcn"] = "lightgcn"
    files: dict[str, str] = Field(min_length=1)


class ParquetItems(Config):
    """A parquet file of items, or a folder of them with equal columns.

    Attributes:
        item: The column of the item ids.
        columns: Which other columns to read; empty for all.
    """

    format: Literal["parquet"] = "parquet"
    path: str
    item: str = ITEM
    columns: tuple[str, ...] = ()


class CsvItems(Config):
    """A csv file of items. Every value is text as written; an empty one is missing."""

    format: Literal["csv"] = "csv"
    path: str
    item: str = ITEM
    columns: tuple[str, ...] = ()
    separator: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    names: tuple[str, ...] = ()


class MovieLensItems(Config):
    """The films of the official MovieLens files: item_id, title, genres ("A|B"), year."""

    format: Literal["movielens"] = "movielens"
    path: str


class RecBoleItems(Config):
    """A RecBole ``.item`` file or the folder with it; the values of a ``token_seq`` stay
    separated by spaces, so ``CatalogueFields.separator`` is " " for them."""

    format: Literal["recbole"] = "recbole"
    path: str
    item: str = ITEM
    columns: tuple[str, ...] = ()


class SmartItems(Config):
    """The documents of a SMART collection (CACM, CISI, Cranfield): item_id, title, author, body.

    Its queries and judgements are read by :func:`recsys.formats.smart.read_queries` and
    :func:`recsys.formats.smart.read_judgements`.
    """

    format: Literal["smart"] = "smart"
    path: str


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
