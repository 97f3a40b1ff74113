"""The description of a retriever or a service: its spaces, columns and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from recsys_client.response import UnknownUser

ColumnType = Literal["text", "texts", "number", "boolean", "time"]


@dataclass(frozen=True)
class SpaceSummary:
    """A space that can be searched.

    Attributes:
        name: Name of the space.
        dimensions: Number of dimensions of its vectors.
        items: Number of items that have a vector in it.
        reads: Parts of a query that it reads, as the fields of a ``Query``.

    Example:
        >>> SpaceSummary("text", 64, 1_000, ("user_id", "terms")).dimensions
        64
    """

    name: str
    dimensions: int
    items: int
    reads: tuple[str, ...]


@dataclass(frozen=True)
class ColumnSummary:
    """A column of the catalogue that a filter or a crowding can name.

    Attributes:
        name: Name of the column.
        type: Type of its values.
        items: Number of items that have a value.
        examples: Some of the values, as the text form of a filter writes them: of texts the most
            frequent ones, of numbers and times the smallest and the largest.

    Example:
        >>> ColumnSummary("brand", "text", 40, ('"acme"',)).items
        40
    """

    name: str
    type: ColumnType
    items: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContextSummary:
    """A context column that a query may give.

    Attributes:
        name: Name of the column.
        values: Number of known values.
        examples: Some of the known values.

    Example:
        >>> ContextSummary("country", 2, ("de", "fr")).values
        2
    """

    name: str
    values: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """The requests that a retriever or a service can answer, and the state that answers.

    Attributes:
        bundle_version: Version of the bundle that answers; "" outside a bundle.
        watermark: Sequence number of the last recorded change in the state that answers.
        items: Number of items of the catalogue.
        users: Number of users with a history.
        spaces: Spaces, by name.
        columns: Columns for filters and crowding, by name.
        context: Context columns, by name.
        unknown_user: Answer to a query of a user without any recorded interaction.
        limits: Largest value of each part of a request, by the name of the limit.
        services: Names of the services whose calls are answered; empty in-process.
        fixed_catalogue_reason: Reason why items that are unknown to the bundle cannot be added;
            "" where they can.

    Example:
        >>> Description("v1", 0, items=40, users=3).space_names
        []
    """

    bundle_version: str
    watermark: int
    items: int
    users: int
    spaces: tuple[SpaceSummary, ...] = ()
    columns: tuple[ColumnSummary, ...] = ()
    context: tuple[ContextSummary, ...] = ()
    unknown_user: UnknownUser = "error"
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)
    services: tuple[str, ...] = ()
    fixed_catalogue_reason: str = ""

    @property
    def space_names(self) -> list[str]:
        """Names of the spaces."""
        return [each.name for each in self.spaces]
