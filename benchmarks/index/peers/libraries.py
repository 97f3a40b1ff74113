"""Other libraries behind one interface: build, save, load, search, filtered search.

Each has the settings that its documentation recommends for building, and one or two parameters of
the search, which :mod:`benchmarks.index.peers.search_tuning` chooses per target.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.ids import Mask, Rows, Vectors

Setting = Mapping[str, int]
M, EF_CONSTRUCTION = 16, 200
"""Links per node, and candidates per node during the build, of every graph."""


class Peer(ABC):
    """An index of another library, by inner product, in one thread.

    Attributes:
        name: Name in the tables.
        parameter: Name of the search parameter that raises the recall.
        depths: Values of a second parameter, ``depth``; one value where there is none.
        filters: Whether its Python interface has filters.
    """

    name: str
    parameter: str
    depths: Sequence[int] = (1,)
    filters = False

    def __init__(self) -> None:
        self.index: Any = None

    @abstractmethod
    def build(self, vectors: Vectors) -> None:
        """Index float32 ``[n, d]``."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write the index into a file."""

    @abstractmethod
    def load(self, path: Path) -> None:
        """Read the index from its file into memory."""

    @abstractmethod
    def search(self, queries: Vectors, k: int, setting: Setting, chosen: Any = None) -> Rows:
        """Rows ``[b, k]``, -1 for none; ``chosen`` is a result of :meth:`selector`."""

    def selector(self, mask: Mask) -> Any:
        """The eligible rows, bool ``[n]``, in the form of the library."""
        raise NotImplementedError(f"{self.name} has no filters")

    def most(self, items: int) -> int:
        """Largest useful value of the parameter."""
        return min(items, 8_192)


class Hnswlib(Peer):
    """hnswlib: a graph; its filter is a Python function per visited row."""

    name, parameter, filters = "hnswlib", "ef", True

    def build(self, vectors: Vectors) -> None:
        self.index = self._empty(vectors.shape[1])
        self.index.init_index(len(vectors), M=M, ef_construction=EF_CONSTRUCTION)
        self.index.add_items(vectors, num_threads=1)

    def save(self, path: Path) -> None:
        self.index.save_index(str(path))

    def load(self, path: Path) -> None:
        self.index = self._empty(64)
        self.index.load_index(str(path))

    def search(self, queries: Vectors, k: int, setting: Setting, chosen: Any = None) -> Rows:
        self.index.set_ef(max(k, setting["ef"]))
        try:
            found = self.index.knn_query(queries, k, num_threads=1, filter=chosen)
            return np.asarray(found[0], np.int32)
        except RuntimeError:  # it has fewer than k for one of the queries
            if len(queries) == 1:
                return np.full((1, k), -1, np.int32)
            each = [self.search(query[None], k, setting, chosen) for query in queries]
            return np.concatenate(each)

    def selector(self, mask: Mask) -> Any:
        return mask.tolist().__getitem__

    @staticmethod
    def _empty(dimension: int) -> Any:
        return importlib.import_module("hnswlib").Index("ip", dimension)


class Usearch(Peer):
    """usearch: a graph; its Python interface has no filters."""

    name, parameter = "usearch", "ef"

    def build(self, vectors: Vectors) -> None:
        self.index = self._empty(vectors.shape[1])
        self.index.add(np.arange(len(vectors)), vectors, threads=1)

    def save(self, path: Path) -> None:
        self.index.save(str(path))

    def load(self, path: Path) -> None:
        self.index = self._empty(64)
        self.index.load(str(path))

    def search(self, queries: Vectors, k: int, setting: Setting, chosen: Any = None) -> Rows:
        self.index.expansion_search = max(k, setting["ef"])
        found = self.index.search(queries, k, threads=1)
        return np.asarray(found.keys, np.int32).reshape(len(queries), k)

    @staticmethod
    def _empty(dimension: int) -> Any:
        options = {"connectivity": M, "expansion_add": EF_CONSTRUCTION}
        library = importlib.import_module("usearch.index")
        return library.Index(ndim=dimension, metric="ip", dtype="f32", **options)


class Voyager(Peer):
    """voyager: a graph; no filters."""

    name, parameter = "voyager", "ef"

    def build(self, vectors: Vectors) -> None:
        library = importlib.import_module("voyager")
        options = {"M": M, "ef_construction": EF_CONSTRUCTION, "max_elements": len(vectors)}
        self.index = library.Index(library.Space.InnerProduct, vectors.shape[1], **options)
        self.index.add_items(vectors, num_threads=1)

    def save(self, path: Path) -> None:
        self.index.save(str(path))

    def load(self, path: Path) -> None:
        self.index = importlib.import_module("voyager").Index.load(str(path))

    def search(self, queries: Vectors, k: int, setting: Setting, chosen: Any = None) -> Rows:
        found = self.index.query(queries, k, num_threads=1, query_ef=max(k, setting["ef"]))
        return np.asarray(found[0], np.int32)


class Faiss(Peer):
    """Base class of the indexes of faiss; their filters are bitmaps."""

    filters = True

    def save(self, path: Path) -> None:
        _faiss().write_index(self.index, str(path))

    def load(self, path: Path) -> None:
        self.index = _faiss().read_index(str(path))

    def search(self, queries: Vectors, k: int, setting: Setting, chosen: Any = None) -> Rows:
        found = self.index.search(queries, k, params=self.parameters(k, setting, chosen))
        return np.asarray(found[1], np.int32)

    @abstractmethod
    def parameters(self, k: int, setting: Setting, chosen: Any) -> Any:
        """The parameters of a search in the form of the library."""

    def selector(self, mask: Mask) -> Any:
        bits = np.packbits(mask, bitorder="little")
        found = _faiss().IDSelectorBitmap(len(mask), _faiss().swig_ptr(bits))
        found.bits = bits  # kept alive with it
        return found


class FaissHnsw(Faiss):
    """faiss' graph."""

    name, parameter = "faiss HNSW", "ef"

    def build(self, vectors: Vectors) -> None:
        library = _faiss()
        self.index = library.IndexHNSWFlat(vectors.shape[1], M, library.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(vectors)

    def parameters(self, k: int, setting: Setting, chosen: Any) -> Any:
        return _faiss().SearchParametersHNSW(efSearch=max(k, setting["ef"]), sel=chosen)


class FaissIvf(Faiss):
    """faiss' inverted lists, 4 * sqrt(n), of uncompressed vectors."""

    name, parameter, factory = "faiss IVF", "nprobe", "IVF{lists},Flat"

    def build(self, vectors: Vectors) -> None:
        library = _faiss()
        factory = self.factory.format(lists=self.most(len(vectors)))
        metric = library.METRIC_INNER_PRODUCT
        self.index = library.index_factory(vectors.shape[1], factory, metric)
        self.index.train(vectors)
        self.index.add(vectors)

    def parameters(self, k: int, setting: Setting, chosen: Any) -> Any:
        return _faiss().SearchParametersIVF(nprobe=setting["nprobe"], sel=chosen)

    def most(self, items: int) -> int:
        return int(4 * items**0.5)


class FaissIvfPq(FaissIvf):
    """faiss' inverted lists of 4-bit product codes, scanned fast, with exact refinement.

    The codes are of residuals: without, .95 of a million clustered rows was out of reach.
    """

    name, factory = "faiss IVF-PQ", "IVF{lists},PQ32x4fsr,RFlat"
    depths = (2, 4, 8, 16, 32, 64)
    filters = False  # the refinement drops the selector

    def parameters(self, k: int, setting: Setting, chosen: Any) -> Any:
        library = _faiss()
        inner = library.SearchParametersIVF(nprobe=setting["nprobe"])
        return library.IndexRefineSearchParameters(
            k_factor=float(setting["depth"]), base_index_params=inner
        )


def _faiss() -> Any:
    return importlib.import_module("faiss")


PEERS: Mapping[str, type[Peer]] = {
    peer.name: peer for peer in (Hnswlib, FaissHnsw, FaissIvf, FaissIvfPq, Usearch, Voyager)
}
