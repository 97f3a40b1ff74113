"""ScaNN behind the index interface: it proposes rows, exact scores decide.

ScaNN has no filter, and searches a fixed number of leaves. It answers queries without a filter and
with few excluded rows; a scan of the leaves answers the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recsys.errors import DataError
from recsys.ids import Vectors
from recsys.index.api import Index
from recsys.index.arguments import SearchArguments
from recsys.index.building.partitioning import Partitioning
from recsys.index.configs import ScannConfig
from recsys.index.curve import Curve, Setting
from recsys.index.description import FILE, Description
from recsys.index.exact import ExactIndex
from recsys.index.hits import PLANS, Hits
from recsys.index.leaves.calibration import LeafMisses
from recsys.index.leaves.partition import Partition
from recsys.index.leaves.scan import LeafScan
from recsys.index.scann.planning import Plan, Planner
from recsys.index.scann.searcher import ScannSearcher
from recsys.index.storage import bytes_per_item

ASSETS, LEAVES = "scann", "leaves"
"""Folders of ScaNN's files, and of the rows by leaf."""


@dataclass(frozen=True, eq=False)
class LeafSearch:
    """Both ways to search in leaves, with their measured settings.

    Attributes:
        searcher: ScaNN's searcher.
        scan: Scan of the eligible rows of the same leaves.
        curve: Settings of ScaNN by rank.
        misses: Expected misses of the scan.
        tuning: Partitions that were chosen and tried, and the kinds of query, as JSON values.
    """

    searcher: ScannSearcher
    scan: LeafScan
    curve: Curve
    misses: LeafMisses
    tuning: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ScannIndex(Index):
    """Approximate search by ScaNN; never short, exact in its scores and its exclusions.

    Build it with ``recsys.index.build_index``.

    Attributes:
        leaves: Search in leaves; None for a small matrix, which is compared as a whole.

    Example:
        >>> import numpy as np
        >>> from recsys.index import ScannConfig, build_index
        >>> index = build_index(np.eye(3, dtype=np.float32), ScannConfig())
        >>> index.search(np.eye(3, dtype=np.float32)[1:2], k=1).rows.tolist()
        [[1]]
    """

    config: ScannConfig
    leaves: LeafSearch | None = None

    @property
    def facts(self) -> Mapping[str, Any]:
        """Number of leaves, bytes per item, settings with their recall, and misses of a scan."""
        if self.leaves is None:
            return {"num_leaves": 0, "bytes_per_item": self.bytes_per_item}
        return {
            "num_leaves": self.leaves.searcher.num_leaves,
            "bytes_per_item": self.bytes_per_item,
            "curve": self.leaves.curve.as_json(),
            "misses": self.leaves.misses.as_json(),
            "tuning": dict(self.leaves.tuning),
        }

    @property
    def bytes_per_item(self) -> Mapping[str, float]:
        """Number of bytes per row of the vectors, of the rows by leaf, and of ScaNN's codes."""
        if self.leaves is None:
            return {"vectors": bytes_per_item(self.vectors)}
        dimensions = self.leaves.tuning["partitioning"]["dimensions_per_block"]
        blocks = math.ceil(self.dimension / dimensions)
        return {
            "vectors": bytes_per_item(self.vectors),
            "leaves": self.leaves.scan.partition.bytes / len(self),
            "codes": math.ceil(blocks / 2) + 4.0,  # 4 bits per block, and the row
        }

    @cached_property
    def _planner(self) -> Planner:
        assert self.leaves is not None
        partitioning = Partitioning(**self.leaves.tuning["partitioning"])
        cost = partitioning.cost(*self.vectors.shape)
        return Planner(self.leaves.curve, self.leaves.misses, cost, self.leaves.scan)

    @cached_property
    def exact(self) -> ExactIndex:
        """Exact search of the same rows."""
        return ExactIndex(self.vectors)

    def expected_recall(
        self, plan: str, k: int, *, effort: float = 1.0, excluded: bool = False
    ) -> float | None:
        """Recall of the tuned setting, or the target to which scans of leaves are calibrated."""
        if self.leaves is not None and plan == "scann":
            return self.leaves.curve.recall(k, effort=effort, tail=excluded)
        if self.leaves is not None and plan == "leaves" and self.leaves.curve.fixed is None:
            return self.config.target_recall
        return super().expected_recall(plan, k)

    def save(self, folder: Path) -> None:
        """Write ``index.json``, ScaNN's own files, and the rows by leaf."""
        if self.leaves is not None:
            self.leaves.searcher.save(folder / ASSETS)
            self.leaves.scan.partition.save(folder / LEAVES)
        super().save(folder)

    @classmethod
    def load(cls, folder: Path, vectors: Vectors, description: Description) -> ScannIndex:
        """Load an index that :meth:`save` wrote."""
        config, facts = description.config, description.facts
        assert isinstance(config, ScannConfig)
        items, dimension = vectors.shape
        try:
            leaves = int(facts["num_leaves"])
            if not leaves:
                return cls(vectors, config)
            curve, misses = Curve.from_json(facts["curve"]), LeafMisses.from_json(facts["misses"])
            tuning = dict(facts["tuning"])
            Partitioning(**tuning["partitioning"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{folder / FILE}: 'facts' is damaged: {error!r}") from error
        partition = Partition.load(folder / LEAVES, items=items, dimension=dimension, leaves=leaves)
        searcher = ScannSearcher.load(folder / ASSETS, items=items, num_leaves=leaves)
        return cls(
            vectors,
            config,
            LeafSearch(searcher, LeafScan.of(vectors, partition), curve, misses, tuning),
        )

    def _search(self, hits: Hits, arguments: SearchArguments) -> None:
        if self.leaves is None:
            self.exact._search(hits, arguments)
            return
        for plan in self._planner.plans(arguments):
            if plan.name == "exact":
                self._compare(hits, arguments, plan)
            elif plan.name == "leaves":
                self.leaves.scan.search(hits, arguments, plan.queries, misses=plan.misses)
            else:
                self._propose(hits, arguments, plan)

    def _compare(self, hits: Hits, arguments: SearchArguments, plan: Plan) -> None:
        """Compare every eligible row."""
        if len(plan.queries) == len(arguments):
            self.exact._search(hits, arguments)
            return
        part = Hits.empty(queries=len(plan.queries), k=arguments.k)
        self.exact._search(part, arguments.take(plan.queries))
        hits.store(plan.queries, part)

    def _propose(self, hits: Hits, arguments: SearchArguments, plan: Plan) -> None:
        """Rank ScaNN's candidates; scan the leaves for queries that have too few."""
        from recsys.index.kernels import rank_candidates
        from recsys.index.storage.elements import loop_argument

        assert self.leaves is not None and plan.setting is not None
        setting, chosen, work = plan.setting, plan.queries, hits.work
        where = slice(None) if len(chosen) == len(arguments) else chosen
        queries = arguments.queries[where]
        short = rank_candidates(
            loop_argument(self.vectors),
            arguments.queries,
            chosen,
            *self.leaves.searcher.candidates(queries, setting.leaves, setting.depth),
            arguments.hidden,
            hits.arrays,
            work.depth,
        )
        work.plan[where] = PLANS.index("scann")
        work.eligible[where] = arguments.eligible(len(self))
        work.leaves[where], work.read[where] = setting.leaves, self._read(setting)
        if short:
            again = chosen[~hits.valid[chosen, arguments.k - 1]]
            misses = self.leaves.misses.at(arguments.k, rows="others")
            self.leaves.scan.search(hits, arguments, again, misses=misses)

    def _read(self, setting: Setting) -> int:
        assert self.leaves is not None
        return max(setting.depth, len(self) * setting.leaves // self.leaves.searcher.num_leaves)
