"""Row filters of the benchmark, each with the queries that it is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.index.data.datasets import SEED, DataSet
from recsys.ids import Mask, Rows
from recsys.index.rows import RowSet

GROUPS = 8
"""Number of groups of queries of a filter that depends on the query."""


@dataclass(frozen=True)
class Filter:
    """A set of eligible rows and the queries to search it with.

    Attributes:
        eligible: Rows that may be found.
        queries: Positions of the queries.
    """

    eligible: RowSet
    queries: Rows


def filters(data: DataSet, count: int) -> Iterator[tuple[str, list[Filter]]]:
    """Name and filters of each kind, for ``count`` queries in all.

    There are several where the eligible rows depend on the query.
    """
    size, rng = len(data.items), np.random.default_rng(SEED)
    every = np.arange(count, dtype=np.int32)

    def of(mask: Mask) -> list[Filter]:
        return [Filter(RowSet.of_mask(mask), every)]

    for share in (0.0001, 0.001, 0.01, 0.1, 0.5):
        yield f"random {100 * share:g}%", of(rng.random(size) < share)
    for share in (0.03, 0.1):
        yield f"clusters {share:.0%}", of(whole_clusters(data.clusters, share, rng))
    half = whole_clusters(data.clusters, 0.5, rng)
    both = RowSet.of_mask(rng.random(size) < 0.1) & RowSet.of_mask(half)
    yield "random 10% and clusters 50%", [Filter(both, every)]
    yield "farthest half", list(_farthest(data, count))


def whole_clusters(clusters: Rows, share: float, rng: np.random.Generator) -> Mask:
    """Rows of random clusters, together about ``share`` of all rows."""
    sizes = np.bincount(clusters)
    chosen, left = np.zeros(len(sizes), np.bool_), share * len(clusters)
    for cluster in rng.permutation(len(sizes)):
        if sizes[cluster] <= left:
            chosen[cluster] = True
            left -= sizes[cluster]
    mask: Mask = chosen[clusters]
    return mask


def _farthest(data: DataSet, count: int) -> Iterator[Filter]:
    """Per group of similar queries the half of the rows in the clusters farthest from theirs."""
    queries = data.array("queries")
    sizes = np.bincount(data.clusters)
    means = np.zeros((len(sizes), data.items.shape[1]), np.float32)
    np.add.at(means, data.clusters, data.items)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-30)
    for anchor in queries[:GROUPS]:
        near = np.argsort(-(queries @ anchor))[: count // GROUPS].astype(np.int32)
        own = means[np.argmax(means @ anchor)]
        order = np.argsort(means @ own)  # farthest first
        far = order[np.cumsum(sizes[order]) <= len(data.items) / 2]
        yield Filter(RowSet.of_mask(np.isin(data.clusters, far)), near)
