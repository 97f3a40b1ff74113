"""ScaNN's searcher behind its traps.

ScaNN pads a short batched result with row 0 and NaN, maps ids through a pickle, saves absolute
paths, and its loader opens a pickle. Here padding is dropped, ScaNN never sees an id, paths are
relative, and its loader is not used. It holds quantised vectors only and reorders nothing.
"""

from __future__ import annotations

import importlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.ids import Rows, Vectors
from recsys.index.building.partitioning import Partitioning

_ASSETS_FILE, _TOKENS = "scann_assets.pbtxt", "datapoint_to_token.npy"
_ASSET_PATH = re.compile(r'asset_path: *"([^"]*)"')
_UNUSED_NEIGHBOURS = 10
"""ScaNN's own default number of results, which every search replaces."""
_TIED = 32
"""Number of candidates for one more that is fetched, as some share the lowest score."""


@dataclass(frozen=True, eq=False)
class ScannSearcher:
    """Search of quantised vectors in a number of leaves.

    Attributes:
        native: ScaNN's searcher.
        items: Number of vectors.
        num_leaves: Number of leaves.
    """

    native: Any
    items: int
    num_leaves: int

    @classmethod
    def of(
        cls, vectors: Vectors, partitioning: Partitioning, anisotropic_threshold: float
    ) -> ScannSearcher:
        """Partition and quantise float32 ``[n, d]``."""
        leaves = partitioning.leaves
        native = (
            _pybind()
            .builder(np.asarray(vectors), _UNUSED_NEIGHBOURS, "dot_product")
            .tree(
                leaves,
                leaves,
                training_sample_size=partitioning.training_rows,
                training_iterations=partitioning.iterations,
                min_partition_size=1,
            )
            .score_ah(
                partitioning.dimensions_per_block,
                anisotropic_quantization_threshold=anisotropic_threshold,
                training_sample_size=partitioning.code_rows,
            )
            .set_n_training_threads(1)  # With more, sums are taken in the order of the threads.
            .build()
        )
        return cls(native, len(vectors), leaves)

    def propose(self, queries: Vectors, leaves: int, depth: int) -> Rows:
        """Rows in the leaves nearest to each query, best first by quantised score.

        Returns:
            int32 ``[b, depth]``, -1 where the leaves hold fewer.
        """
        rows, scores = self._search(queries, leaves, depth)
        rows[np.isnan(scores)] = -1
        return rows

    def candidates(self, queries: Vectors, leaves: int, depth: int) -> tuple[Rows, Vectors]:
        """The same with their quantised scores, and a few more.

        Some share the lowest score with rows outside and are dropped by ``rank_candidates``.

        Returns:
            int32 and float32 ``[b, fetched]``; the scores are NaN where the leaves hold fewer.
        """
        return self._search(queries, leaves, min(depth + 1 + depth // _TIED, self.items))

    def _search(self, queries: Vectors, leaves: int, depth: int) -> tuple[Rows, Vectors]:
        if len(queries) == 1:  # The same answer, sooner; not padded.
            rows, scores = self.native.search(queries[0], depth, depth, leaves)
            if len(rows) == depth:
                return rows[None].view(np.int32), scores[None]
        rows, scores = self.native.search_batched(queries, depth, depth, leaves)
        return rows.view(np.int32), scores

    def tokens(self) -> Rows:
        """The leaf of each row, int32 ``[n]``; the leaf of the lowest row is 0, and so on.

        ScaNN numbers its leaves in another order in each build.
        """
        with tempfile.TemporaryDirectory() as name:
            self.save(Path(name))
            tokens = np.load(Path(name) / _TOKENS, allow_pickle=False)
        # With spilling, a second leaf per row follows the first ones.
        tokens = tokens.reshape(-1)[: self.items]
        _, first, label = np.unique(tokens, return_index=True, return_inverse=True)
        order = np.empty(len(first), np.int32)
        order[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        return np.ascontiguousarray(order[label])

    def save(self, folder: Path) -> None:
        """Write ScaNN's files, with paths relative to them."""
        folder.mkdir(parents=True, exist_ok=True)
        self.native.serialize(str(folder), relative_path=True)

    @classmethod
    def load(cls, folder: Path, *, items: int, num_leaves: int) -> ScannSearcher:
        """Read what :meth:`save` wrote; never opens a pickle.

        Raises:
            DataError: A file is missing or damaged, or belongs to another number of vectors.
        """
        pickles = sorted(path.name for path in folder.glob("*.pkl"))
        if pickles:
            raise DataError(
                f"{folder} holds a pickle, {pickles[0]}, which is never opened; remove it"
            )
        pybind = _pybind()
        try:
            text = (folder / _ASSETS_FILE).read_text(encoding="utf-8")
            for name in _ASSET_PATH.findall(text):
                if Path(name).name != name or not (folder / name).is_file():
                    raise DataError(
                        f"{folder} names a file {name!r} that is not in it; build it again"
                    )
            native = pybind.ScannSearcher(pybind.scann_pybind.ScannNumpy(str(folder), text))
        except (OSError, UnicodeDecodeError, RuntimeError, ValueError) as error:
            raise DataError(f"{folder} cannot be loaded: {error}; build the index again") from error
        if native.size() != items:
            raise DataError(f"{folder} holds {native.size()} vectors; expected {items}")
        return cls(native, items, num_leaves)


def _pybind() -> Any:
    # ScaNN imports TensorFlow, which recsys._tf must configure first.
    importlib.import_module("recsys._tf")
    return importlib.import_module("scann.scann_ops.py.scann_ops_pybind")
