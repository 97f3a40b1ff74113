"""Build a ScaNN index: partition, quantise, tune and calibrate."""

from __future__ import annotations

import dataclasses
from typing import Any

from recsys.ids import Vectors
from recsys.index.building.partitioning import Partitioning
from recsys.index.building.sample import Queries, queries_by_kind, spread
from recsys.index.building.trials import Trial, budget, choose
from recsys.index.building.tuning import TunedPart
from recsys.index.configs import ScannConfig
from recsys.index.curve import Curve, Setting
from recsys.index.leaves.calibration import LeafMisses, calibrate
from recsys.index.leaves.partition import Partition
from recsys.index.leaves.scan import LeafScan
from recsys.index.scann.index import LeafSearch, ScannIndex
from recsys.index.scann.searcher import ScannSearcher

_CALIBRATING = 256
"""Number of queries on which the misses are measured, at least half of it of each kind."""


def build_scann(vectors: Vectors, config: ScannConfig, queries: Queries | None) -> ScannIndex:
    """Partition, quantise and tune; ``vectors`` must be valid.

    Raises:
        ConfigError: A number of the configuration, or the queries, do not fit the vectors.
    """
    if len(vectors) < config.brute_force_below:
        return ScannIndex(vectors, config)
    kinds = queries_by_kind(vectors, queries)
    partitioning, trials = choose(vectors, config, queries)
    searcher = ScannSearcher.of(vectors, partitioning, config.anisotropic_threshold)
    tokens = searcher.tokens()
    scan = LeafScan.of(vectors, Partition.of(vectors, tokens, partitioning.leaves))
    count = max(_CALIBRATING // len(kinds), _CALIBRATING // 2)
    samples = [spread(part, count) for part in kinds.values()]
    misses = LeafMisses.worst([calibrate(scan, each, config.target_recall) for each in samples])
    curve = _curve(vectors, config, queries, searcher, partitioning)
    tuning = _report(vectors, config, partitioning, trials, list(kinds))
    return ScannIndex(vectors, config, LeafSearch(searcher, scan, curve, misses, tuning))


def _curve(
    vectors: Vectors,
    config: ScannConfig,
    queries: Queries | None,
    searcher: ScannSearcher,
    partitioning: Partitioning,
) -> Curve:
    items, leaves, depth = len(vectors), config.leaves_to_search, config.reorder
    if leaves == "auto":
        cost = partitioning.cost(*vectors.shape)
        part = TunedPart(vectors, searcher.propose, cost, config.target_recall)
        return part.tune(queries, config.tuning_queries)
    setting = Setting(searcher.num_leaves, items)
    if isinstance(leaves, int) and isinstance(depth, int):
        setting = Setting(min(leaves, searcher.num_leaves), min(depth, items))
    return Curve(searcher.num_leaves, items, fixed=setting)


def _report(
    vectors: Vectors,
    config: ScannConfig,
    partitioning: Partitioning,
    trials: tuple[Trial, ...],
    kinds: list[str],
) -> dict[str, Any]:
    """The partitioning, its trials and the kinds of query, as JSON values."""
    return {
        "partitioning": dataclasses.asdict(partitioning),
        "build_seconds": round(partitioning.build_seconds(*vectors.shape), 1),
        "budget_seconds": budget(config, *vectors.shape),
        "trials": [dataclasses.asdict(trial) for trial in trials],
        "kinds": kinds,
    }
