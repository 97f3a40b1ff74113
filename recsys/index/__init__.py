"""Nearest neighbours by inner product: an exact reference and ScaNN behind one interface.

An index knows rows and vectors; ``recsys.retrieval`` knows ids and towers. Importing this package
does not import ScaNN.
"""

from recsys.index.api import Index
from recsys.index.configs import ExactConfig, IndexConfig, MilvusConfig, ScannConfig
from recsys.index.exact import ExactIndex
from recsys.index.files import build_index, load_index
from recsys.index.hits import Hits, QueryWork, SearchWork
from recsys.index.recall import ann_recall
from recsys.index.rows import Liveness, RowSet

__all__ = [
    "ExactConfig",
    "ExactIndex",
    "Hits",
    "Index",
    "IndexConfig",
    "Liveness",
    "MilvusConfig",
    "QueryWork",
    "RowSet",
    "ScannConfig",
    "SearchWork",
    "ann_recall",
    "build_index",
    "load_index",
]
