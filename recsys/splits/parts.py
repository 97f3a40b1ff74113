"""A split, and the last steps of every protocol: clean queries, and a statement with counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.interactions import EVENT, Interactions
from recsys.splits.advice import remedy
from recsys.splits.config import SplitConfig
from recsys.splits.held_out import HeldOutQueries, Positions
from recsys.splits.repeats import repeated_targets, resolve_repeats

_HISTORY = {
    "leave-last-out": "all of the user's earlier interactions",
    "global-time": "all of the user's interactions strictly before the target's second",
    "fixed": "the user's training interactions; in the test also the validation items",
    "cold-items": "the user's earlier interactions with items that were not withheld",
}

_MANY_REPEATS = 0.1
"""Share of the test targets, or of those of one kind, from which dropped repeats have a note."""


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

    @property
    def notes(self) -> list[str]:
        """A sentence about the repeats that are left out of the test, if these are many."""
        removed, kept = self.protocol["removed"], self.protocol["test_targets"]
        repeats = removed["test_repeats"]
        by_event = {
            kind: (count, count + self.protocol["test_targets_by_event"].get(kind, 0))
            for kind, count in removed.get("test_repeats_by_event", {}).items()
        }
        shares = [repeats / (repeats + kept), *(count / n for count, n in by_event.values())]
        if max(shares) < _MANY_REPEATS:
            return []
        kinds = ", ".join(f"{kind}: {count:,} of {n:,}" for kind, (count, n) in by_event.items())
        return [
            f"{repeats:,} of {repeats + kept:,} test targets are left out, since the history of"
            f" their query holds the item{f' ({kinds})' if kinds else ''}; split.repeats ="
            " 'keep-last' or 'keep-strongest' makes them targets."
        ]


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
        pool_weights=pool.weight,
        target_weights=log.weight[at],
        target_events=log.context_rows[EVENT][at] if EVENT in log.context else None,
    )


def target_mask(log: Interactions, config: SplitConfig) -> Mask:
    """Whether each interaction may be the target of a query, bool ``[n]``.

    Raises:
        DataError: ``target_events`` names a kind of event that the log does not hold.
    """
    if config.target_events is None:
        return np.ones(len(log), np.bool_)
    return log.of_events(config.target_events, key="split.target_events")


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
    cleaned = [_clean(each, config, len(log.items)) for each in (validation, test)]
    kept = [queries for queries, _ in cleaned]
    removed = {
        f"{name}_{reason}": count
        for name, (_, counts_of) in zip(("validation", "test"), cleaned)
        for reason, count in counts_of.items()
    }
    if not len(train) or not len(kept[1]):
        raise DataError(
            f"'{config.protocol}' leaves {len(train)} interactions to train on and {len(kept[1])} "
            f"test queries; there must be some of both: {remedy('test', removed, config, log)}"
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
        **_by_event("test_targets_by_event", kept[1]),
        "cold_test_targets": int((~final.warm[kept[1].target_rows]).sum()),
        "removed": removed,
        **counts,
    }
    return Split(train, final, sampled, kept[1], candidates, train.warm, statement)


def _clean(
    queries: HeldOutQueries, config: SplitConfig, items: int
) -> tuple[HeldOutQueries, dict[str, Any]]:
    """The queries with long enough histories, after the policy for repeats, and what is left out.

    ``short_histories`` is a number of queries, ``repeats`` one of targets.
    """
    least = getattr(config, "min_history", 0)
    longer = queries.take(queries.history_lengths >= least)
    fresh = resolve_repeats(longer, config.repeats, items)
    kept = fresh.take(fresh.history_lengths >= least)
    counts: dict[str, Any] = {
        "short_histories": len(queries) - len(longer) + len(fresh) - len(kept),
        "repeats": len(longer.target_rows) - len(fresh.target_rows),
    }
    if config.repeats == "drop" and counts["repeats"] and longer.target_events is not None:
        repeated = longer.at_targets(repeated_targets(longer, items))
        counts |= _by_event("repeats_by_event", repeated)
    return kept, counts


def _by_event(key: str, queries: HeldOutQueries) -> dict[str, dict[str, int]]:
    """Number of targets of each kind of event under ``key``; nothing without kinds."""
    if queries.target_events is None:
        return {}
    kinds = queries.context[EVENT].index
    counts = np.bincount(queries.target_events, minlength=len(kinds))
    return {key: {str(kind): int(n) for kind, n in zip(kinds, counts) if n}}


def _sampled(queries: HeldOutQueries, limit: int | None, seed: int) -> HeldOutQueries:
    if limit is None or len(queries) <= limit:
        return queries
    drawn = np.random.default_rng(seed).choice(len(queries), limit, replace=False)
    return queries.at(np.sort(drawn))
