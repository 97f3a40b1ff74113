"""A split, and what every protocol ends with: clean queries and a statement of what was done."""

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
    """What to learn from, and what to be judged by.

    Attributes:
        train: The only interactions that a model may learn from while anything is chosen.
        final: What the model that is kept has learned from: ``train``, or, where the
            configuration asks to refit, the validation's interactions too. None of the test.
        validation: Queries to choose on.
        test: Queries to score once, when everything is chosen.
        candidates: Which items are ranked, bool ``[items]``.
        warm: Which items ``train`` met, bool ``[items]``.
        protocol: What was done, in words and counts; goes into the report as it is.

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
    """One query for each position ``at``; its history is the user's pool up to ``stop``."""
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


def finish(
    log: Interactions,
    train: Interactions,
    *,
    final: Interactions,
    validation: HeldOutQueries,
    test: HeldOutQueries,
    config: SplitConfig,
    counts: dict[str, Any],
) -> Split:
    """What all protocols end with: clean queries, the validation sample, the statement.

    ``final`` is train and validation together; it counts where the configuration asks to refit.
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
            "test queries; both must be more than none: choose other bounds or another protocol"
        )
    sampled = _sampled(kept[0], config.validation_sample, config.seed)
    met = log.item_counts > 0
    final = final if config.refit == "train-and-validation" else train
    candidates = met if config.candidates == "log" else np.ones(len(log.items), np.bool_)
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
    seen = np.zeros(items, np.bool_)  # one board for all queries, wiped after each
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
