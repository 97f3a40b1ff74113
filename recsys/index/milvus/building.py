"""Build an index in Milvus and tune its search; load it again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from recsys.errors import ConfigError, DataError
from recsys.ids import Vectors
from recsys.index.building.sample import Queries, QuerySample
from recsys.index.configs import MilvusConfig
from recsys.index.curve import Curve, CurvePoint, CutoffCurve, Setting
from recsys.index.description import FILE, Description
from recsys.index.milvus.collection import MAX_LIMIT, MAX_WIDTH, Collection, collection_name
from recsys.index.milvus.connection import Connection
from recsys.index.milvus.index import FILES, MilvusIndex
from recsys.index.storage import digest

_CUTOFFS = (1, 10, 100, 1_000)
_FURTHER = 3
"""Number of wider searches that are measured beyond the tuned one, for a greater effort."""


def build_milvus(
    vectors: Vectors, config: MilvusConfig, queries: Queries | None = None
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
    collection: Collection, vectors: Vectors, config: MilvusConfig, queries: Queries | None
) -> Curve:
    """Per cutoff the narrowest search that reaches the target for every kind, by doubling."""
    most, deepest = min(len(vectors), MAX_WIDTH), max(1, len(vectors) // 8)
    cutoffs = [k for k in _CUTOFFS if k <= deepest]
    sample = QuerySample.of(vectors, queries, config.tuning_queries, ranks=cutoffs[-1])
    plain, tail = [], []
    for k in cutoffs:
        widths = {min(k << doublings, most) for doublings in range((most // k).bit_length() + 1)}
        points: list[CurvePoint] = []
        tails: list[CurvePoint] = []
        for width in sorted(widths):
            point, tail_point = _measure(collection, sample, k, width)
            points.append(point)
            tails.append(tail_point)
            pairs = zip(points, tails)
            if sum(min(a.recall, b.recall) >= config.target_recall for a, b in pairs) > _FURTHER:
                break
        plain.append(_cutoff(k, points, config.target_recall))
        tail.append(_cutoff(k, tails, config.target_recall))
    return Curve(most, len(vectors), tuple(plain), tuple(tail))


def _measure(
    collection: Collection, sample: QuerySample, k: int, width: int
) -> tuple[CurvePoint, CurvePoint]:
    """Points of the curve: with the recall at k, and with that of the ranks above k / 2."""
    start = time.perf_counter()
    found = collection.search(sample.queries, limit=min(k, MAX_LIMIT), width=width, expression="")
    seconds = (time.perf_counter() - start) / len(sample)
    known = np.stack([np.isin(true[:k], rows) for true, (rows, _) in zip(sample.truth.rows, found)])
    recalls = [
        min(float(columns[members].mean()) for _, members in sample.groups())
        for columns in (known, known[:, k // 2 :])
    ]
    plain, tail = (CurvePoint(width, k, recall, seconds) for recall in recalls)
    return plain, tail


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
