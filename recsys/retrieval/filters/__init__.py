"""Filters on the columns of the catalogue: their types, and compilation to sets of rows."""

from recsys.retrieval.filters.filter_columns import ColumnDescription, FilterColumns
from recsys.retrieval.filters.schema import FilterSchema

__all__ = ["ColumnDescription", "FilterColumns", "FilterSchema"]
