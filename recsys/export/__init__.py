"""Embeddings as files for others: parquet, npy, and what TensorBoard's projector shows.

What is exported is chosen by ``recsys.pipeline.exporting``; this part knows vectors, their ids and
what is to be said of each, and writes them.
"""

from __future__ import annotations

from recsys.export.embeddings import Embeddings
from recsys.export.writing import Exported, export

__all__ = ["Embeddings", "Exported", "export"]
