"""Readers of parquet and csv with a column mapping, the official MovieLens files, RecBole atomic
files, LightGCN text files, per-user sequences and SMART collections; data sets by name.

Tables are Arrow tables. Every fault is a :class:`recsys.errors.DataError` that names file, column
and row; ``recsys.ingestion`` cleans and counts.
"""

from __future__ import annotations

from recsys.formats.publisher import locate, resolve
from recsys.formats.reading import read_interactions, read_items
from recsys.formats.smart import read_documents, read_judgements, read_queries
from recsys.formats.sources import (
    CsvInteractions,
    CsvItems,
    InteractionColumns,
    InteractionSource,
    ItemSource,
    LightGcnInteractions,
    MovieLensInteractions,
    MovieLensItems,
    ParquetInteractions,
    ParquetItems,
    RecBoleInteractions,
    RecBoleItems,
    SequenceInteractions,
    SmartItems,
    StoreInteractions,
    StoreItems,
)
from recsys.formats.vectors import NamedVectors, read_vectors, write_vectors

__all__ = [
    "CsvInteractions",
    "CsvItems",
    "InteractionColumns",
    "InteractionSource",
    "ItemSource",
    "LightGcnInteractions",
    "MovieLensInteractions",
    "MovieLensItems",
    "NamedVectors",
    "ParquetInteractions",
    "ParquetItems",
    "RecBoleInteractions",
    "RecBoleItems",
    "SequenceInteractions",
    "SmartItems",
    "StoreInteractions",
    "StoreItems",
    "locate",
    "read_documents",
    "read_interactions",
    "read_items",
    "read_judgements",
    "read_queries",
    "read_vectors",
    "resolve",
    "write_vectors",
]
