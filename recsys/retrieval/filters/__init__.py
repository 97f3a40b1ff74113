"""Filters on the columns of the catalogue: their types, and compilation to sets of rows."""

from recsys.retrieval.filters.column_values import CodedValues, ColumnValues
from recsys.retrieval.filters.columns import Codes
from recsys.retrieval.filters.filter_columns import ColumnDescription, FilterColumns
from recsys.retrieval.filters.schema import FilterSchema

__all__ = [
    "CodedValues",
    "Codes",
    "ColumnDescription",
    "ColumnValues",
    "FilterColumns",
    "FilterSchema",
]
