"""What a retriever reads of items and users: frozen tables of a bundle, or those of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from recsys.ids import IdMap, Rows
from recsys.index import RowSet
from recsys.interactions import UserHistory
from recsys.retrieval.filters import ColumnDescription, ColumnValues, FilterSchema
from recsys_client.filters import Filter


class Ids(Protocol):
    """Ids of items and their rows; :class:`recsys.ids.IdMap` is one."""

    def __len__(self) -> int:
        """Number of known ids."""

    def __contains__(self, value: object) -> bool:
        """Whether an id is known."""

    def row(self, value: str) -> int:
        """The row of a known id."""

    def rows(self, values: Sequence[str], *, unknown: Literal["raise", "skip"] = "raise") -> Rows:
        """The rows of ids, int32 ``[n]``; with ``unknown="skip"`` unknown ids are left out."""

    def ids(self, rows: Rows) -> list[str]:
        """The ids of rows, in their order."""


class Items(Protocol):
    """The items; :class:`recsys.catalogue.Catalogue` is one."""

    @property
    def ids(self) -> Ids:
        """Ids and rows of the items."""

    def __len__(self) -> int:
        """Number of items."""

    def titles_at(self, rows: Rows) -> list[str | None]:
        """Title of each of ``rows``, or None where it has none."""


class Histories(Protocol):
    """Histories of users; :class:`recsys.interactions.Interactions` is one."""

    @property
    def context(self) -> Mapping[str, IdMap]:
        """Values of each context column."""

    @property
    def n_users(self) -> int:
        """Number of known users."""

    def find(self, user_id: str) -> UserHistory | None:
        """The history of a user, or None for an unknown user."""


class ItemColumns(Protocol):
    """Columns that a filter or a crowding can name; ``FilterColumns`` is one. Thread-safe."""

    @property
    def schema(self) -> FilterSchema:
        """Types of the columns."""

    def rows(self, filter: Filter, *, path: str = "filter") -> RowSet:
        """Rows for which a filter is true; the same object for equal filters."""

    def values(self, column: str, *, path: str = "column") -> ColumnValues:
        """Values of a column as codes; equal values have equal codes."""

    def describe(self) -> tuple[ColumnDescription, ...]:
        """All columns with examples."""
