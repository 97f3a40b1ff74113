"""Embeddings as files for other programs: parquet, npy, and TensorBoard's projector.

``recsys.pipeline.exporting`` chooses the vectors.
"""

from __future__ import annotations

from recsys.export.embeddings import Embeddings
from recsys.export.writing import ExportedSet, export

__all__ = ["Embeddings", "ExportedSet", "export"]
