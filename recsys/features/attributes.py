"""Attributes of items as features: multi-hot categories and standardised numbers.

The schema is fitted on a catalogue and encodes later items in the same way.
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
LARGEST = float(np.finfo(np.float32).max)


class AttributeConfig(Config):
    """Selection of the categories that become features.

    Attributes:
        min_count: Minimum number of items with a category.
        max_values: Maximum number of categories per column, the most frequent ones.
    """

    min_count: int = Field(default=2, ge=1)
    max_values: int = Field(default=1_000, ge=1)


class CategoryColumn(Config):
    """Categories of one column that are features, the most frequent first."""

    column: str
    values: tuple[str, ...]


class NumberColumn(Config):
    """Scaling of one column of numbers: ``(x - mean) / deviation``."""

    column: str
    mean: float
    deviation: float = Field(gt=0)


class AttributeSchema(Config):
    """Mapping of tables of items to feature blocks; stored as JSON by ``model_dump_json``.

    A category is 1 if the item has it, else 0. A number is standardised by the mean and deviation
    of the catalogue; a missing number is 0. Unknown categories are ignored, see :meth:`unknown`. An
    item without a known category or number is masked.

    Attributes:
        categories: Columns of categories, in the order of the features.
        numbers: Columns of numbers, after the categories.
        separator: Separator of the values of a cell of categories.

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
        """Name of each feature: "column=category", or the column of a number."""
        categories = [f"{one.column}={value}" for one in self.categories for value in one.values]
        return (*categories, *(one.column for one in self.numbers))

    def encode(self, table: TableLike) -> FeatureBlock:
        """The features of ``table``, one item per entry, ``[items, len(self.columns)]``.

        Other columns are ignored.

        Raises:
            DataError: A column is missing, a category is not a single value, or a number is not a
                finite number; the message names the column and the item.
        """
        vectors = np.zeros((len(table), len(self.columns)), np.float32)
        mask = np.zeros(len(table), np.bool_)
        start = 0
        for one in self.categories:
            columns = {value: start + n for n, value in enumerate(one.values)}
            for row, values in enumerate(category_values(table, one.column, self.separator)):
                known = [columns[value] for value in values if value in columns]
                vectors[row, known] = 1.0
                mask[row] |= bool(known)
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
            reason = str(error).splitlines()[0]
            raise DataError(
                f"cannot read the attribute schema {path}: {reason}; encode again"
            ) from error

    def unknown(self, table: TableLike) -> dict[str, int]:
        """Counts of the categories in ``table`` that are not features, as "column=category"."""
        counts: Counter[str] = Counter()
        for one in self.categories:
            known = set(one.values)
            for values in category_values(table, one.column, self.separator):
                counts.update(f"{one.column}={value}" for value in values if value not in known)
        return dict(counts.most_common())


def attribute_block(
    catalogue: Catalogue, config: AttributeConfig | None = None
) -> tuple[FeatureBlock, AttributeSchema]:
    """The block "attributes" of a catalogue, and the schema that encodes later items.

    A catalogue without attributes gives a block of no columns, with all items masked.

    Raises:
        DataError: As for :meth:`AttributeSchema.encode`.
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
        numbers=tuple(_fitted_number(table, column) for column in fields.numbers),
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


def _fitted_number(table: TableLike, column: str) -> NumberColumn:
    amounts = _amounts(table, column)
    amounts = amounts[~np.isnan(amounts)]
    if not len(amounts):
        return NumberColumn(column=column, mean=0.0, deviation=1.0)
    deviation = float(amounts.std())
    mean = float(amounts.mean())
    # A constant column must not become a feature by rounding errors.
    varies = deviation > 1e-9 * max(abs(mean), 1e-300)
    return NumberColumn(column=column, mean=mean, deviation=deviation if varies else 1.0)


def category_values(table: TableLike, column: str, separator: str) -> list[list[str]]:
    """The categories of each item in one column, in their order, without blanks.

    Raises:
        DataError: The column is missing, or a cell is not a single value.

    Example:
        >>> category_values(pd.DataFrame({"kind": ["b| a", None]}), "kind", "|")
        [['b', 'a'], []]
    """
    cells = _cells(table, column)
    for row, cell in enumerate(cells):
        if isinstance(cell, bytes | list | tuple | set | dict | np.ndarray):
            raise DataError(
                f"column '{column}' must hold text; item {row} of the table holds {cell!r:.80}: "
                f"join several values by {separator!r}",
                field=column,
            )
    texts = ["" if _missing(cell) else str(cell) for cell in cells]
    return [[v.strip() for v in text.split(separator) if v.strip()] for text in texts]


def _amounts(table: TableLike, column: str) -> npt.NDArray[np.float64]:
    """The number of each item, float64 ``[items]``, NaN if missing."""
    amounts = np.full(len(table), np.nan)
    for row, cell in enumerate(_cells(table, column)):
        try:
            if _missing(cell) or (isinstance(cell, str) and not cell.strip()):
                continue
            amounts[row] = float(cell)
        except (TypeError, ValueError):
            amounts[row] = np.inf
        if not abs(amounts[row]) <= LARGEST:
            raise DataError(
                f"column '{column}' must hold finite numbers; item {row} of the table holds "
                f"{cell!r}: fix it, or read the column as categories",
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
