"""Build a ScaNN index: partition, quantise, tune and calibrate."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from recsys.ids import Vectors
from recsys.index.arguments import Exclusions, SearchArguments
from recsys.index.configs import ScannConfig
from recsys.index.curve import Curve, CurvePoint, CutoffCurve, Setting
from recsys.index.hits import Hits
from recsys.index.leaves.calibration import LeafReach, calibrate
from recsys.index.leaves.partition import Partition
from recsys.index.leaves.scan import LeafScan
from recsys.index.scann.index import LeafSearch, ScannIndex
from recsys.index.scann.planning import Plan
from recsys.index.scann.searcher import ScannSearcher
from recsys.index.tuning import Setting as TunedSetting
from recsys.index.tuning import tune

_CALIBRATING = 128
"""Number of queries on which the reach is measured."""


def build_scann(vectors: Vectors, config: ScannConfig, queries: Vectors | None) -> ScannIndex:
    """Partition, quantise and tune; ``vectors`` must be valid."""
    items = len(vectors)
    if items < config.brute_force_below:
        return ScannIndex(vectors, config)
    num_leaves = math.isqrt(items) if config.num_leaves == "auto" else config.num_leaves
    searcher = ScannSearcher.of(vectors, config, num_leaves)
    scan = LeafScan.of(vectors, Partition.of(vectors, searcher.tokens(), num_leaves))
    sample = vectors if queries is None or not len(queries) else queries
    sample = sample[np.linspace(0, len(sample) - 1, min(_CALIBRATING, len(sample))).astype(int)]
    reach = calibrate(scan, np.ascontiguousarray(sample), config.target_recall)
    curve = _curve(vectors, config, queries, searcher, scan, reach)
    return ScannIndex(vectors, config, LeafSearch(searcher, scan, curve, reach))


def _curve(
    vectors: Vectors,
    config: ScannConfig,
    queries: Vectors | None,
    searcher: ScannSearcher,
    scan: LeafScan,
    reach: LeafReach,
) -> Curve:
    items, num_leaves = len(vectors), searcher.num_leaves
    whole = Curve(num_leaves, items, fixed=Setting(num_leaves, items))
    index = ScannIndex(vectors, config, LeafSearch(searcher, scan, whole, reach))

    def search(setting: TunedSetting, queries: Vectors, k: int) -> Hits:
        hits = Hits.empty(queries=len(queries), k=k)
        arguments = SearchArguments(queries, k, Exclusions.none(len(queries)))
        depth = max(k, min(setting.reorder, items))
        plan = Plan("scann", np.arange(len(queries)), Setting(setting.leaves_to_search, depth))
        index._propose(hits, arguments, plan)
        return hits

    setting, tuned = tune(search, vectors, num_leaves, config, queries)
    leaves, depth = setting.leaves_to_search, max(setting.reorder, 1)
    if tuned is None:
        return dataclasses.replace(whole, fixed=Setting(leaves, depth))
    points = (CurvePoint(leaves, depth, tuned.recall, 1.0),)
    cutoffs = (CutoffCurve(tuned.k, points, 0),)
    return Curve(num_leaves, items, cutoffs, cutoffs)
