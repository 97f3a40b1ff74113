"""Build an index in Milvus and tune its search; load it again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from recsys.errors import ConfigError, DataError
from recsys.ids import Vectors
from recsys.index.configs import MilvusConfig
from recsys.index.curve import Curve, CurvePoint, CutoffCurve, Setting
from recsys.index.description import FILE, Description
from recsys.index.exact import ExactIndex
from recsys.index.hits import Hits
from recsys.index.milvus.collection import MAX_LIMIT, MAX_WIDTH, Collection, collection_name
from recsys.index.milvus.connection import Connection
from recsys.index.milvus.index import FILES, MilvusIndex
from recsys.index.storage import digest

_CUTOFFS = (1, 10, 100, 1_000)
_FURTHER = 3
"""Number of wider searches that are measured beyond the tuned one, for a greater effort."""


def build_milvus(
    vectors: Vectors, config: MilvusConfig, queries: Vectors | None = None
) -> MilvusIndex:
    """Store the vectors in a collection and tune its search; ``vectors`` must be valid.

    A collection of the same vectors and settings is used again.
    """
    connection = Connection.open(config)
    name = collection_name(config, digest(vectors))
    collection = Collection.of(connection, name, vectors)
    most = min(len(vectors), MAX_WIDTH)
    if isinstance(config.search_width, int) or config.method == "flat":
        width = config.search_width if isinstance(config.search_width, int) else most
        curve = Curve(most, len(vectors), fixed=Setting(width, 1))
    else:
        curve = _tune(collection, vectors, config, queries)
    return MilvusIndex(vectors, config, collection, curve)


def load_milvus(folder: Path, vectors: Vectors, description: Description) -> MilvusIndex:
    """Connect to the collection of an index that :meth:`MilvusIndex.save` wrote."""
    config, facts = description.config, description.facts
    assert isinstance(config, MilvusConfig)
    try:
        name, curve = str(facts["collection"]), Curve.from_json(facts["curve"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder / FILE}: 'facts' is damaged: {error!r}") from error
    if name != collection_name(config, description.vectors_sha256):
        raise DataError(
            f"{folder / FILE} names the collection '{name}', which is not that of its vectors; "
            "build the index again"
        )
    files = folder / FILES
    if config.uri is None and not files.is_dir():
        raise DataError(f"{files} does not exist; build the index again")
    collection = Collection(Connection.open(config, files if config.uri is None else None), name)
    collection.open(len(vectors), vectors.shape[1])
    return MilvusIndex(vectors, config, collection, curve)


def _tune(
    collection: Collection, vectors: Vectors, config: MilvusConfig, queries: Vectors | None
) -> Curve:
    """Per cutoff the narrowest search that reaches the target, by doubling."""
    candidates = vectors if queries is None or not len(queries) else queries
    count = min(len(candidates), config.tuning_queries)
    # Evenly spread: the same without a seed.
    sample = np.ascontiguousarray(
        candidates[np.linspace(0, len(candidates) - 1, count).astype(np.int64)]
    )
    most, deepest = min(len(vectors), MAX_WIDTH), max(1, len(vectors) // 8)
    cutoffs = [k for k in _CUTOFFS if k <= deepest]
    truth = ExactIndex(vectors).search(sample, cutoffs[-1])
    plain, tail = [], []
    for k in cutoffs:
        widths = [min(k << doublings, most) for doublings in range((most // k).bit_length() + 1)]
        points = []
        for width in sorted(set(widths)):
            points.append(_measure(collection, truth, sample, k, width))
            reached = [min(each) >= config.target_recall for _, each in points]
            if sum(reached) > _FURTHER:
                break
        plain.append(_cutoff(k, [point for point, _ in points], config.target_recall))
        tails = [replace(point, recall=recalls[1]) for point, recalls in points]
        tail.append(_cutoff(k, tails, config.target_recall))
    return Curve(most, len(vectors), tuple(plain), tuple(tail))


def _measure(
    collection: Collection, truth: Hits, queries: Vectors, k: int, width: int
) -> tuple[CurvePoint, tuple[float, float]]:
    """A point of the curve, and its recall at k and within the ranks above k / 2."""
    start = time.perf_counter()
    found = collection.search(queries, limit=min(k, MAX_LIMIT), width=width, expression="")
    seconds = (time.perf_counter() - start) / len(queries)
    recalls, tails = [], []
    for query, (rows, _) in enumerate(found):
        true = truth.at(query)[0][:k]
        known = np.isin(true, rows)
        recalls.append(float(known.mean()))
        tails.append(float(known[k // 2 :].mean()))
    mean, last = float(np.mean(recalls)), float(np.mean(tails))
    return CurvePoint(width, k, mean, seconds), (mean, last)


def _cutoff(k: int, points: list[CurvePoint], target: float) -> CutoffCurve:
    tuned = next((i for i, point in enumerate(points) if point.recall >= target), None)
    if tuned is None:
        raise ConfigError(
            f"Milvus reaches a recall@{k} of {points[-1].recall:.3f} with its widest search, below "
            f"the target of {target}; raise links and build_width, or lower target_recall",
            field="target_recall",
        )
    # A wider search costs more; a measured duration that says otherwise is noise.
    rising: list[CurvePoint] = []
    for point in points:
        least = rising[-1].seconds * 1.01 if rising else 1e-9
        rising.append(replace(point, seconds=max(point.seconds, least)))
    return CutoffCurve(k, tuple(rising), tuned)
