"""Build an index from its configuration; load one from its folder."""

from __future__ import annotations

from pathlib import Path

from recsys.ids import Vectors
from recsys.index.api import Index
from recsys.index.arguments import check_vectors
from recsys.index.building.sample import Queries
from recsys.index.configs import ExactConfig, IndexConfig, MilvusConfig
from recsys.index.description import read_description
from recsys.index.exact import ExactIndex
from recsys.index.storage import stored


def build_index(vectors: Vectors, config: IndexConfig, *, queries: Queries | None = None) -> Index:
    """Index ``vectors``, float32 ``[n, d]``, which are not copied and must not change.

    ScaNN and Milvus are tuned on typical ``queries``, float32 ``[q, d]``, or several kinds of them
    by name; without any on the vectors, which suits queries by item. The target then holds for
    every kind. The same data give the same answers.

    Raises:
        DataError: The vectors are not finite float32 of two dimensions, or none.
        ConfigError: The recall target cannot be reached with the numbers given.

    Example:
        >>> import numpy as np
        >>> len(build_index(np.eye(4, dtype=np.float32), ExactConfig()))
        4
    """
    if isinstance(config, ExactConfig):
        return ExactIndex.of(vectors)
    if isinstance(config, MilvusConfig):
        from recsys.index.milvus import build_milvus

        return build_milvus(check_vectors(vectors), config, queries)
    from recsys.index.scann.building import build_scann

    return build_scann(stored(check_vectors(vectors), config.storage), config, queries)


def load_index(folder: Path, vectors: Vectors) -> Index:
    """Load an index that ``Index.save`` wrote, over the same vectors.

    Raises:
        DataError: The folder is damaged, or belongs to other vectors.
    """
    vectors = check_vectors(vectors)
    description = read_description(folder, vectors)
    vectors = description.stored(vectors)
    if isinstance(description.config, ExactConfig):
        return ExactIndex(vectors, description.config)
    if isinstance(description.config, MilvusConfig):
        from recsys.index.milvus import load_milvus

        return load_milvus(folder, vectors, description)
    from recsys.index.scann.index import ScannIndex

    return ScannIndex.load(folder, vectors, description)
