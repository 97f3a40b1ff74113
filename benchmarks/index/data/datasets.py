"""Data sets of the benchmark: two synthetic distributions and the towers of Gowalla.

Each is a folder of three float32 arrays ``[rows, 64]``: ``items``, and the query vectors ``tuning``
and ``queries``. Search parameters are chosen on ``tuning`` and measured on ``queries``. The exact
answers of both are computed once and stored with them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.data.truth import Answers, exact_answers
from recsys.ids import Rows, Vectors

DIMENSION, SEED, QUERY_SEED = 64, 1, 2
TUNING, QUERIES = 1_000, 5_000
DEPTH = 100
"""Length of the stored exact answers."""
ITEMS, CLUSTERS = "items", "clusters"
_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class DataSet:
    """Vectors in a folder; the items are mapped into memory.

    Attributes:
        name: "clustered", "noisy" or "gowalla".
        folder: Folder of the arrays.
    """

    name: str
    folder: Path

    @cached_property
    def items(self) -> Vectors:
        """Vectors to index, float32 ``[n, 64]``."""
        path = self.folder / f"{ITEMS}.npy"
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))

    @cached_property
    def clusters(self) -> Rows:
        """Cluster of each item, int32 ``[n]``; only of synthetic data."""
        clusters: Rows = self.array(CLUSTERS)
        return clusters

    def array(self, name: str) -> Any:
        """An array of the folder."""
        return np.load(self.folder / f"{name}.npy", allow_pickle=False)

    def answers(self, queries: str) -> Answers:
        """Exact answers, ``DEPTH`` rows per query, to "tuning" or "queries"."""
        return Answers(self.array(f"{queries}-rows"), self.array(f"{queries}-scores"))


@dataclass(frozen=True)
class Mixture:
    """Gaussian clusters on the unit sphere.

    Attributes:
        centres: float32 ``[clusters, 64]``.
        weights: Share of the items per cluster, float64 ``[clusters]``.
        noise: Length of the noise relative to that of a centre.
        decay: Exponent with which the noise decreases over the dimensions.
    """

    centres: Vectors
    weights: np.ndarray[Any, np.dtype[np.float64]]
    noise: float
    decay: float

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Vectors, Rows]:
        """Vectors and the cluster of each."""
        clusters = rng.choice(len(self.centres), size, p=self.weights).astype(np.int32)
        vectors = np.empty((size, DIMENSION), np.float32)
        for start in range(0, size, _ROWS_AT_ONCE):
            own = clusters[start : start + _ROWS_AT_ONCE]
            noise = self.noise * _noise(rng, len(own), self.decay)
            vectors[start : start + len(own)] = _unit(self.centres[own] + noise)
        return vectors, clusters


def clustered(items: int, rng: np.random.Generator) -> Mixture:
    """Clusters of which the sizes follow a power law: few hold most of the items."""
    count = max(16, round(items**0.5))
    weights = 1 / np.arange(1, count + 1)
    centres = _unit(_noise(rng, count, 0.25))
    return Mixture(centres, weights / weights.sum(), noise=0.7, decay=0.5)


def noisy(items: int, rng: np.random.Generator) -> Mixture:
    """Many clusters of about fifty items, with overlap, around fewer topics."""
    count = max(16, items // 50)
    topics = _unit(_noise(rng, max(16, round(count**0.5)), 0.25))
    centres = topics[rng.integers(len(topics), size=count)] + 0.8 * _noise(rng, count, 0.25)
    return Mixture(_unit(centres), np.full(count, 1 / count), noise=0.8, decay=0.25)


MIXTURES: dict[str, Callable[[int, np.random.Generator], Mixture]] = {
    "clustered": clustered,
    "noisy": noisy,
}


def synthetic(name: str, items: int, folder: Path) -> DataSet:
    """The synthetic data set, written on first use."""
    found = DataSet(name, folder / f"{name}-{items}")
    if not (found.folder / "complete").is_file():
        rng = np.random.default_rng(SEED)
        mixture = MIXTURES[name](items, rng)
        vectors, clusters = mixture.draw(rng, items)
        measured = QUERIES if items <= 1_000_000 else QUERIES // 10
        tuning, _ = mixture.draw(rng, TUNING)
        queries, _ = mixture.draw(np.random.default_rng(QUERY_SEED), measured)
        _write(found, vectors, tuning, queries)
        np.save(found.folder / f"{CLUSTERS}.npy", clusters)
        (found.folder / "complete").touch()
    return found


def gowalla(folder: Path) -> DataSet:
    """Item and user vectors of the towers of ``configs/gowalla.toml``, trained on first use.

    The parameters are chosen on the vectors of some users and measured on those of others.
    """
    found = DataSet("gowalla", folder / "gowalla")
    if not (found.folder / "complete").is_file():
        bundles = folder / "gowalla-run" / "gowalla" / "bundles"
        command = [str(Path(sys.executable).with_name("recsys")), "run", "configs/gowalla.toml"]
        if not bundles.is_dir():
            runs = folder / "gowalla-run"
            subprocess.run([*command, "--runs", str(runs)], check=True, stdout=sys.stderr)
        items, users = tower_vectors(bundles)
        users = np.random.default_rng(SEED).permutation(users)
        _write(found, items, users[:TUNING], users[-QUERIES:])
        (found.folder / "complete").touch()
    return found


def tower_vectors(bundles: Path) -> tuple[Vectors, Vectors]:
    """Vectors of all items and all users of the newest bundle."""
    from benchmarks.index.data.query_vectors import query_vectors
    from recsys.bundle import open_bundle
    from recsys_client.request import Request

    retriever = open_bundle(bundles).retriever
    users = [Request.of(user_id=user, k=1) for user in retriever.log.users.index.tolist()]
    return np.array(retriever.spaces["two_tower"].vectors), query_vectors(retriever, users)


def _write(found: DataSet, items: Vectors, tuning: Vectors, queries: Vectors) -> None:
    found.folder.mkdir(parents=True, exist_ok=True)
    np.save(found.folder / f"{ITEMS}.npy", items)
    for name, vectors in (("tuning", tuning), ("queries", queries)):
        answers = exact_answers(items, vectors, DEPTH)
        np.save(found.folder / f"{name}.npy", vectors)
        np.save(found.folder / f"{name}-rows.npy", answers.rows)
        np.save(found.folder / f"{name}-scores.npy", answers.scores)


def _noise(rng: np.random.Generator, size: int, decay: float) -> Vectors:
    """Gaussian vectors of length 1 on average, with a decreasing spread over the dimensions."""
    spread = np.arange(1, DIMENSION + 1) ** -decay
    spread /= np.sqrt((spread**2).sum())
    return rng.standard_normal((size, DIMENSION), np.float32) * spread.astype(np.float32)


def _unit(vectors: Vectors) -> Vectors:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
