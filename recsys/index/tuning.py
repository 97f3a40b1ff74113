"""Find the fewest leaves and reorderings with which ScaNN reaches a recall target.

Partitions and codes are built once; only how they are searched is varied, so a trial costs one
batch of queries. What it finds holds for queries like those it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recsys.errors import ConfigError
from recsys.ids import Vectors
from recsys.index.api import check_search
from recsys.index.configs import ScannConfig
from recsys.index.exact import ExactIndex
from recsys.index.recall import recall_of

if TYPE_CHECKING:
    from recsys.index.scann import ScannIndex


@dataclass(frozen=True)
class Setting:
    """How ScaNN is searched.

    Attributes:
        leaves_to_search: Partitions looked into per query; 0 where nothing is partitioned.
        reorder: Rows whose score is computed exactly per query; 0 where all are.
    """

    leaves_to_search: int
    reorder: int


@dataclass(frozen=True)
class Tuned:
    """What tuning measured at its end.

    Attributes:
        recall: Share of the exact answer found.
        k: Length of that answer.
        queries: Number of queries measured on.
        asked: Where they came from, "queries" or "vectors".
    """

    recall: float
    k: int
    queries: int
    asked: str


def tune(whole: ScannIndex, config: ScannConfig, queries: Vectors | None) -> ScannIndex:
    """Set ``whole``, which searches and reorders everything, as ``config`` asks.

    Raises:
        ConfigError: ``leaves_to_search`` or ``reorder`` is "auto" and the target is out of reach.
    """
    leaves, reorder = config.leaves_to_search, config.reorder
    if leaves == "all":
        return whole
    if leaves != "auto" and reorder != "auto":
        return whole.with_setting(Setting(min(leaves, whole.num_leaves), reorder))
    asked = whole.vectors if queries is None else queries
    check_search(asked, 1, None, None, items=len(whole), dimension=whole.dimension)
    sample = asked[_spread(len(asked), config.tuning_queries)]
    # Well below a quarter of the table, or the exact search would answer and flatter the measure.
    k = min(config.recall_at, max(1, len(whole) // 8))
    truth = ExactIndex(whole.vectors).search(sample, k)

    def recall(setting: Setting) -> float:
        return recall_of(whole.with_setting(setting).search(sample, k), truth)

    setting = _smallest(whole, config, k, recall)
    measured = recall(setting)
    if measured < config.target_recall:
        raise ConfigError(
            f"ScaNN reaches a recall@{k} of {measured:.3f} of the {config.target_recall} asked "
            f"for, with leaves_to_search={leaves} and reorder={reorder}; "
            "raise the number given, or set it to 'auto'",
            field="target_recall",
        )
    source = "vectors" if queries is None else "queries"
    return whole.with_setting(setting, Tuned(measured, k, len(sample), source))


def _smallest(
    whole: ScannIndex, config: ScannConfig, k: int, recall: Callable[[Setting], float]
) -> Setting:
    given = config.leaves_to_search
    most = min(given, whole.num_leaves) if isinstance(given, int) else whole.num_leaves
    if isinstance(config.reorder, int):
        reorder = config.reorder
    else:
        # Half of what may be lost is left for the leaves to lose.
        wanted = (1 + config.target_recall) / 2
        reorder = min(2 * k, len(whole))
        while reorder < len(whole) and recall(Setting(most, reorder)) < wanted:
            reorder = min(2 * reorder, len(whole))
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


def _spread(total: int, wanted: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """``wanted`` of ``total`` positions, evenly spread: the same without a seed."""
    return np.linspace(0, total - 1, min(total, wanted)).astype(np.int64)
