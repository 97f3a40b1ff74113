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
import numpy.typing as npt

from recsys.errors import ConfigError, DataError
from recsys.ids import Rows, Vectors
from recsys.index.configs import ScannConfig

_ASSETS_FILE, _TOKENS = "scann_assets.pbtxt", "datapoint_to_token.npy"
_ASSET_PATH = re.compile(r'asset_path: *"([^"]*)"')
_UNUSED_NEIGHBOURS = 10
"""ScaNN's own default number of results, which every search replaces."""
_TIED = 32
"""Number of candidates for one more that is fetched, as some share the lowest score."""
Numbers = npt.NDArray[np.int64]


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
    def of(cls, vectors: Vectors, config: ScannConfig, num_leaves: int) -> ScannSearcher:
        """Partition and quantise float32 ``[n, d]``."""
        if num_leaves > len(vectors):
            raise ConfigError(
                f"num_leaves must not be above the number of vectors, {len(vectors)}; "
                f"got {num_leaves}",
                field="num_leaves",
            )
        if config.dimensions_per_block > vectors.shape[1]:
            raise ConfigError(
                f"dimensions_per_block must not be above the dimension, {vectors.shape[1]}; "
                f"got {config.dimensions_per_block}",
                field="dimensions_per_block",
            )
        native = (
            _pybind()
            .builder(vectors, _UNUSED_NEIGHBOURS, "dot_product")
            .tree(num_leaves, num_leaves, training_sample_size=len(vectors), min_partition_size=1)
            .score_ah(
                config.dimensions_per_block,
                anisotropic_quantization_threshold=config.anisotropic_threshold,
            )
            .set_n_training_threads(1)  # With more, sums are taken in the order of the threads.
            .build()
        )
        return cls(native, len(vectors), num_leaves)

    def propose(self, queries: Vectors, leaves: int, depth: int) -> Rows:
        """Rows in the leaves nearest to each query, best first by quantised score.

        Returns:
            int32 ``[b, depth]``, -1 where the leaves hold fewer.
        """
        rows, scores = self._search(queries, leaves, depth)
        rows[np.isnan(scores)] = -1
        return rows

    def candidates(self, queries: Vectors, leaves: int, depth: int) -> tuple[Rows, Numbers]:
        """The same, without rows that may have an equal outside, and the number per query.

        A few more than ``depth`` are fetched. Rows with the lowest quantised score are left out,
        since an equal vector may have been cut off; so all copies of a vector are candidates, or
        none is.

        Returns:
            int32 ``[b, fetched]``, and int64 ``[b]``, how many of each line are candidates.
        """
        fetched = depth + 1 + depth // _TIED
        rows, scores = self._search(queries, leaves, min(fetched, self.items))
        lowest = scores[:, -1:]
        full = ~np.isnan(lowest) & (rows.shape[1] < self.items)
        counts = np.where(full, scores > lowest, ~np.isnan(scores)).sum(axis=1)
        return rows, counts

    def _search(self, queries: Vectors, leaves: int, depth: int) -> tuple[Rows, Vectors]:
        rows, scores = self.native.search_batched(
            queries,
            final_num_neighbors=depth,
            pre_reorder_num_neighbors=depth,
            leaves_to_search=leaves,
        )
        return np.ascontiguousarray(rows, np.int32), scores

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
