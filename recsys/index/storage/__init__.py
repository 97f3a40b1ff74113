"""Storage of vectors: the numbers of a matrix, their files, and their use in compiled loops.

``recsys.index.storage.elements``, which compiled loops use, is imported with them.
"""

from recsys.index.storage.vectors import (
    SCALES,
    VECTORS,
    Storage,
    StoredVectors,
    bytes_per_item,
    digest,
    load_vectors,
    save_vectors,
    stored,
)

__all__ = [
    "SCALES",
    "VECTORS",
    "Storage",
    "StoredVectors",
    "bytes_per_item",
    "digest",
    "load_vectors",
    "save_vectors",
    "stored",
]
