"""A split, and the last steps of every protocol: clean queries, and a statement with counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.interactions import Interactions
from recsys.splits.config import SplitConfig
from recsys.splits.held_out import HeldOutQueries, Positions, offsets_of

_HISTORY = {
    "leave-last-out": "all of the user's earlier interactions",
    "global-time": "all of the user's interactions strictly before the target's second",
    "fixed": "the user's training interactions; in the test also the validation items",
    "cold-items": "the user's earlier interactions with items that were not withheld",
}


@dataclass(frozen=True, eq=False)
class Split:
    """Interactions to train on, and queries to evaluate.

    Attributes:
        train: Interactions for every training while anything is chosen.
        final: Interactions for the model that is published: ``train``, or, where the configuration
            has ``refit``, also those of validation. None of the test.
        validation: Queries to choose on.
        test: Queries to score once, when everything is chosen.
        candidates: Items that are ranked, bool ``[items]``.
        warm: Items in ``train``, bool ``[items]``.
        protocol: Statement of the split in words and counts, for the report.

    Example:
        >>> from recsys.ids import IdMap
        >>> from recsys.splits import LeaveLastOutConfig, split
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["a", "b", "c"])
        >>> log = Interactions.of(users, items, user=[0, 0, 0], item=[2, 0, 1], time=[1, 2, 3])
        >>> parts = split(log, LeaveLastOutConfig())
        >>> parts.test.history(0).tolist(), parts.test.targets(0).tolist()
        ([2, 0], [1])
    """

    train: Interactions
    final: Interactions
    validation: HeldOutQueries
    test: HeldOutQueries
    candidates: Mask
    warm: Mask
    protocol: dict[str, Any]


def one_per_position(
    log: Interactions, at: Positions, stop: Positions, *, pool: Interactions | None = None
) -> HeldOutQueries:
    """One query per position ``at``; its history is the user's part of ``pool`` up to ``stop``."""
    pool = log if pool is None else pool
    return HeldOutQueries(
        user=log.user[at],
        pool=pool.item,
        history_start=pool.offsets[log.user[at]],
        history_stop=stop.astype(np.int64),
        target_rows=log.item[at],
        target_offsets=np.arange(len(at) + 1, dtype=np.int64),
        time=log.time[at],
        terms=log.terms[at],
        phrases=log.phrases,
        context=log.context,
        context_rows={name: rows[at] for name, rows in log.context_rows.items()},
        pool_times=pool.time if pool.clock == "timestamp" else None,
    )


def build_split(
    log: Interactions,
    train: Interactions,
    *,
    final: Interactions,
    validation: HeldOutQueries,
    test: HeldOutQueries,
    config: SplitConfig,
    counts: dict[str, Any],
) -> Split:
    """Clean the queries, sample validation and write the statement, extended by ``counts``.

    ``final`` is training and validation together, used where the configuration has ``refit``.
    """
    least = getattr(config, "min_history", 0)
    kept, removed = [], {}
    for name, queries in (("validation", validation), ("test", test)):
        lengths = queries.history_lengths
        longer = queries.take(lengths >= least)
        removed[f"{name}_short_histories"] = len(queries) - len(longer)
        fresh = _without_repeats(longer, len(log.items)) if config.repeats == "drop" else longer
        removed[f"{name}_repeats"] = len(longer.target_rows) - len(fresh.target_rows)
        kept.append(fresh)
    if not len(train) or not len(kept[1]):
        raise DataError(
            f"'{config.protocol}' leaves {len(train)} interactions to train on and {len(kept[1])} "
            "test queries; there must be some of both: choose other bounds or another protocol"
        )
    sampled = _sampled(kept[0], config.validation_sample, config.seed)
    final = final if config.refit == "train-and-validation" else train
    candidates = log.warm if config.candidates == "log" else np.ones(len(log.items), np.bool_)
    statement = {
        "name": config.protocol,
        "config": config.model_dump(mode="json"),
        "history": _HISTORY[config.protocol],
        "ranked": f"all {int(candidates.sum())} items of the "
        + ("log" if config.candidates == "log" else "catalogue")
        + ", the query's history left out",
        "interactions": len(log),
        "train_interactions": len(train),
        "final_interactions": len(final),
        "train_users": int((np.diff(train.offsets) > 0).sum()),
        "warm_items": int(train.warm.sum()),
        "candidates": int(candidates.sum()),
        "validation_queries": len(sampled),
        "validation_queries_before_sampling": len(kept[0]),
        "test_queries": len(kept[1]),
        "test_targets": len(kept[1].target_rows),
        "cold_test_targets": int((~final.warm[kept[1].target_rows]).sum()),
        "removed": removed,
        **counts,
    }
    return Split(train, final, sampled, kept[1], candidates, train.warm, statement)


def _without_repeats(queries: HeldOutQueries, items: int) -> HeldOutQueries:
    """Leave out targets that the query's own history holds, and queries left with none."""
    keep = np.empty(len(queries.target_rows), np.bool_)
    seen = np.zeros(items, np.bool_)  # one array for all queries, reset after each
    for query in range(len(queries)):
        history = queries.history(query)
        seen[history] = True
        low, high = queries.target_offsets[query : query + 2]
        keep[low:high] = ~seen[queries.target_rows[low:high]]
        seen[history] = False
    if keep.all():
        return queries
    owner = np.repeat(np.arange(len(queries)), np.diff(queries.target_offsets))[keep]
    lengths = np.bincount(owner, minlength=len(queries))
    trimmed = replace(
        queries, target_rows=queries.target_rows[keep], target_offsets=offsets_of(lengths)
    )
    return trimmed.take(lengths > 0)


def _sampled(queries: HeldOutQueries, limit: int | None, seed: int) -> HeldOutQueries:
    if limit is None or len(queries) <= limit:
        return queries
    drawn = np.random.default_rng(seed).choice(len(queries), limit, replace=False)
    return queries.at(np.sort(drawn))
