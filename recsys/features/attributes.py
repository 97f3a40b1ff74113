"""Attributes of items as numbers: which categories they have, and standardised amounts.

The schema keeps what was learnt from the catalogue, so that a new item is encoded the same way
later.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pydantic import Field

from recsys.catalogue import Catalogue
from recsys.config import Config
from recsys.errors import DataError
from recsys.features.block import FeatureBlock
from recsys.files import read_json, write_json
from recsys.tables import TableLike

NAME = "attributes"


class AttributeConfig(Config):
    """How attributes become columns.

    Attributes:
        min_count: A category that fewer items have gets no column.
        max_values: Of one column's categories at most so many, the most frequent ones.
    """

    min_count: int = Field(default=2, ge=1)
    max_values: int = Field(default=1_000, ge=1)


class CategoryColumn(Config):
    """The categories of one column that have a feature, most frequent first."""

    column: str
    values: tuple[str, ...]


class NumberColumn(Config):
    """What one column's numbers are measured by: ``(x - mean) / deviation``."""

    column: str
    mean: float
    deviation: float = Field(gt=0)


class AttributeSchema(Config):
    """Turns tables of items into feature blocks; as JSON through ``model_dump_json``.

    A category is 1 where the item has it, else 0. A number is standardised by mean and deviation
    of the catalogue; a missing one is 0, which is the mean. An item is masked when nothing of it
    is known.

    Attributes:
        categories: In the order of the features.
        numbers: They follow the categories.
        separator: Between the values of a column of categories.

    Example:
        >>> schema = AttributeSchema(categories=(CategoryColumn(column="kind", values=("a", "b")),))
        >>> schema.encode(pd.DataFrame({"kind": ["b|c", None]})).vectors.tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """

    categories: tuple[CategoryColumn, ...] = ()
    numbers: tuple[NumberColumn, ...] = ()
    separator: str = "|"

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each feature: "column=category", or the column of a number."""
        categories = [f"{one.column}={value}" for one in self.categories for value in one.values]
        return (*categories, *(one.column for one in self.numbers))

    def encode(self, table: TableLike) -> FeatureBlock:
        """The features of ``table``, one item a line, ``[items, len(self.columns)]``.

        Raises:
            DataError: A column is missing, or holds something that is no finite number.
        """
        vectors = np.zeros((len(table), len(self.columns)), np.float32)
        mask = np.zeros(len(table), np.bool_)
        start = 0
        for one in self.categories:
            place = {value: start + n for n, value in enumerate(one.values)}
            for row, values in enumerate(category_values(table, one.column, self.separator)):
                hits = [place[value] for value in values if value in place]
                vectors[row, hits] = 1.0
                mask[row] |= bool(hits)
            start += len(one.values)
        for offset, number in enumerate(self.numbers):
            amounts = _amounts(table, number.column)
            present = ~np.isnan(amounts)
            scaled = (amounts[present] - number.mean) / number.deviation
            vectors[present, start + offset] = scaled
            mask |= present
        return FeatureBlock(vectors, mask, NAME, self.columns)

    def save(self, path: Path) -> None:
        """Write to ``path`` as JSON."""
        write_json(path, self.model_dump(mode="json"))

    @classmethod
    def load(cls, path: Path) -> AttributeSchema:
        """Read what :meth:`save` wrote.

        Raises:
            DataError: The file is missing or damaged.
        """
        try:
            return cls.model_validate(read_json(path))
        except (OSError, ValueError) as error:
            raise DataError(
                f"cannot read the attribute schema {path}: {error}; encode again"
            ) from error

    def unknown(self, table: TableLike) -> dict[str, int]:
        """The categories in ``table`` without a feature, as "column=category", with counts."""
        counts: Counter[str] = Counter()
        for one in self.categories:
            known = set(one.values)
            for values in category_values(table, one.column, self.separator):
                counts.update(f"{one.column}={value}" for value in values if value not in known)
        return dict(counts.most_common())


def attribute_block(
    catalogue: Catalogue, config: AttributeConfig | None = None
) -> tuple[FeatureBlock, AttributeSchema]:
    """The block "attributes" of a catalogue, and the schema to encode later items with.

    A catalogue without attributes gives a block of no columns, with every item masked.

    Raises:
        DataError: A column of numbers holds something else; the message names column and line.
    """
    config = config or AttributeConfig()
    fields, table = catalogue.fields, catalogue.table
    schema = AttributeSchema(
        categories=tuple(
            CategoryColumn(
                column=column, values=_vocabulary(table, column, fields.separator, config)
            )
            for column in fields.categories
        ),
        numbers=tuple(_measure(table, column) for column in fields.numbers),
        separator=fields.separator,
    )
    return schema.encode(table), schema


def _vocabulary(
    table: TableLike, column: str, separator: str, config: AttributeConfig
) -> tuple[str, ...]:
    counts = Counter(
        value for values in category_values(table, column, separator) for value in set(values)
    )
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    often = [value for value, count in ranked if count >= config.min_count]
    return tuple(often[: config.max_values])


def _measure(table: TableLike, column: str) -> NumberColumn:
    amounts = _amounts(table, column)
    amounts = amounts[~np.isnan(amounts)]
    if not len(amounts):
        return NumberColumn(column=column, mean=0.0, deviation=1.0)
    deviation = float(amounts.std())
    mean = float(amounts.mean())
    # A column that never varies says nothing, and rounding must not make it say something.
    varies = deviation > 1e-9 * max(abs(mean), 1e-300)
    return NumberColumn(column=column, mean=mean, deviation=deviation if varies else 1.0)


def category_values(table: TableLike, column: str, separator: str) -> list[list[str]]:
    """Per item the values of one column of categories, in their order, without blanks.

    Raises:
        DataError: The column is missing.

    Example:
        >>> category_values(pd.DataFrame({"kind": ["b| a", None]}), "kind", "|")
        [['b', 'a'], []]
    """
    cells = _cells(table, column)
    texts = ["" if _missing(cell) else str(cell) for cell in cells]
    return [[v.strip() for v in text.split(separator) if v.strip()] for text in texts]


def _amounts(table: TableLike, column: str) -> npt.NDArray[np.float64]:
    """Per item its number, float64 ``[items]``, NaN where missing."""
    amounts = np.full(len(table), np.nan)
    for row, cell in enumerate(_cells(table, column)):
        if _missing(cell) or (isinstance(cell, str) and not cell.strip()):
            continue
        try:
            amounts[row] = float(cell)
        except (TypeError, ValueError):
            amounts[row] = np.inf
        if not np.isfinite(amounts[row]):
            raise DataError(
                f"column '{column}' must hold finite numbers; item {row} of the table holds "
                f"{cell!r}: mend it, or read the column as categories",
                field=column,
            )
    return amounts


def _cells(table: TableLike, column: str) -> list[Any]:
    is_arrow = isinstance(table, pa.Table)
    names = table.column_names if is_arrow else list(map(str, table.columns))
    if column not in names:
        present = ", ".join(names)
        raise DataError(f"the items have no column '{column}'; they have: {present}", field=column)
    return table[column].to_pylist() if is_arrow else table[column].tolist()


def _missing(cell: Any) -> bool:
    return bool(pd.isna(cell))
