"""Find the fewest leaves and reorderings with which ScaNN reaches a recall target.

Partitions and codes are built once and only the search varies, so that a trial costs one batch of
queries. The result holds for queries like those given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recsys.errors import ConfigError
from recsys.ids import Vectors
from recsys.index.configs import ScannConfig
from recsys.index.exact import ExactIndex
from recsys.index.hits import Hits
from recsys.index.recall import recall_of


@dataclass(frozen=True)
class Setting:
    """Settings of a ScaNN search.

    Attributes:
        leaves_to_search: Number of partitions searched per query; 0 without partitions.
        reorder: Number of rows per query whose score is computed exactly; 0 for all.
    """

    leaves_to_search: int
    reorder: int


@dataclass(frozen=True)
class TuningResult:
    """Measurement at the end of the tuning.

    Attributes:
        recall: Share of the exact answer found.
        k: Length of the exact answer.
        queries: Number of queries.
        source: Source of the queries, "queries" or "vectors".
    """

    recall: float
    k: int
    queries: int
    source: str


Search = Callable[[Setting, Vectors, int], Hits]


def tune(
    search: Search,
    vectors: Vectors,
    num_leaves: int,
    config: ScannConfig,
    queries: Vectors | None,
) -> tuple[Setting, TuningResult | None]:
    """The setting that ``config`` describes, with the measurement where it was tuned.

    ``search`` is measured on ``queries``; without any, on the indexed vectors.

    Raises:
        ConfigError: ``leaves_to_search`` or ``reorder`` is "auto" and the target is out of reach.
    """
    leaves, reorder = config.leaves_to_search, config.reorder
    if leaves == "all":
        return Setting(num_leaves, len(vectors)), None
    if leaves != "auto" and reorder != "auto":
        return Setting(min(leaves, num_leaves), reorder), None
    source, candidates = "vectors", vectors
    if queries is not None and len(queries):
        source, candidates = "queries", queries
    # Evenly spread: the same without a seed.
    count = min(len(candidates), config.tuning_queries)
    sample = candidates[np.linspace(0, len(candidates) - 1, count).astype(np.int64)]
    # Well below a quarter of the rows, or the exact search would answer and raise the figure.
    k = min(config.recall_at, max(1, len(vectors) // 8))
    truth = ExactIndex(vectors).search(sample, k)

    def recall(setting: Setting) -> float:
        return recall_of(search(setting, sample, k), truth)

    setting = _smallest(len(vectors), num_leaves, config, k, recall)
    measured = recall(setting)
    if measured < config.target_recall:
        raise ConfigError(
            f"ScaNN reaches a recall@{k} of {measured:.3f}, below the target of "
            f"{config.target_recall}, with leaves_to_search={leaves} and reorder={reorder}; "
            "raise the number given, or set it to 'auto'",
            field="target_recall",
        )
    return setting, TuningResult(measured, k, len(sample), source)


def _smallest(
    items: int, num_leaves: int, config: ScannConfig, k: int, recall: Callable[[Setting], float]
) -> Setting:
    given = config.leaves_to_search
    most = min(given, num_leaves) if isinstance(given, int) else num_leaves
    if isinstance(config.reorder, int):
        reorder = config.reorder
    else:
        # The leaves may lose half of what the target allows.
        target = (1 + config.target_recall) / 2
        reorder = min(2 * k, items)
        while reorder < items and recall(Setting(most, reorder)) < target:
            reorder = min(2 * reorder, items)
    if isinstance(given, int):
        return Setting(most, reorder)
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if recall(Setting(middle, reorder)) >= config.target_recall:
            high = middle
        else:
            low = middle + 1
    return Setting(low, reorder)
