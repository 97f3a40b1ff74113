"""The protocols: from interactions to training data and queries with known answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.interactions import Interactions
from recsys.splits.config import (
    ColdItemsConfig,
    FixedConfig,
    GlobalTimeConfig,
    LeaveLastOutConfig,
    Moment,
    SplitConfig,
    seconds_of,
)
from recsys.splits.held_out import HeldOut, offsets_of

Positions = npt.NDArray[np.int64]

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
        train: The only interactions that a model may learn from.
        validation: Queries to choose on.
        test: Queries to score once, when everything is chosen.
        candidates: Which items are ranked, bool ``[items]``.
        warm: Which items training met, bool ``[items]``.
        protocol: What was done, in words and counts; goes into the report as it is.

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["a", "b", "c"])
        >>> log = Interactions.of(users, items, user=[0, 0, 0], item=[2, 0, 1], time=[1, 2, 3])
        >>> parts = split(log, LeaveLastOutConfig())
        >>> parts.test.history(0).tolist(), parts.test.targets(0).tolist()
        ([2, 0], [1])
    """

    train: Interactions
    validation: HeldOut
    test: HeldOut
    candidates: Mask
    warm: Mask
    protocol: dict[str, Any]


def split(interactions: Interactions, config: SplitConfig) -> Split:
    """Split a log by the protocol that ``config`` names.

    Interactions of one user at the same time are in the order of the log; nothing else decides
    between them, so that the same log is always split the same way.

    Raises:
        DataError: The log does not fit the protocol, or nothing is left to train on or to test.
    """
    if isinstance(config, LeaveLastOutConfig):
        return _leave_last_out(interactions, config)
    if isinstance(config, GlobalTimeConfig):
        return _global_time(interactions, config)
    if isinstance(config, ColdItemsConfig):
        return _cold_items(interactions, config)
    return _by_column(interactions, config)


def _leave_last_out(log: Interactions, config: LeaveLastOutConfig) -> Split:
    lengths = np.diff(log.offsets)
    ends = log.offsets[1:][lengths >= 3]
    held = np.zeros(len(log), np.bool_)
    held[ends - 1] = held[ends - 2] = True
    return _finish(
        log,
        log.take(~held),
        validation=_single(log, ends - 2, ends - 2),
        test=_single(log, ends - 1, ends - 1),
        config=config,
        counts={"users_too_short_to_test": int(((lengths > 0) & (lengths < 3)).sum())},
    )


def _global_time(log: Interactions, config: GlobalTimeConfig) -> Split:
    if log.clock != "timestamp":
        raise DataError(
            "'global-time' needs timestamps, and this log has only positions within a user; "
            "use 'leave-last-out', or give the column of the timestamps"
        )
    first, second = (_second(log, moment) for moment in (config.validation_from, config.test_from))
    if first >= second:
        raise DataError(
            f"validation and test both begin at {_iso(first)}: too many interactions at one second"
        )
    # The first position of each (user, time): what lies before it in the user is strictly earlier.
    new = np.ones(len(log), np.bool_)
    new[1:] = (log.user[1:] != log.user[:-1]) | (log.time[1:] != log.time[:-1])
    earlier = np.maximum.accumulate(np.where(new, np.arange(len(log)), 0))
    parts = []
    for held in ((log.time >= first) & (log.time < second), log.time >= second):
        at = np.flatnonzero(held)
        parts.append(_single(log, at, earlier[at]))
    return _finish(
        log,
        log.take(log.time < first),
        validation=parts[0],
        test=parts[1],
        config=config,
        counts={"validation_from": _iso(first), "test_from": _iso(second)},
    )


def _cold_items(log: Interactions, config: ColdItemsConfig) -> Split:
    met = np.flatnonzero(log.item_counts)
    amount = round(config.share * len(met))
    if amount < 2 or amount == len(met):
        raise DataError(
            f"a share of {config.share} of {len(met)} items withholds {amount}; at least 2 must be "
            "withheld (one for validation, one for test) and at least 1 kept"
        )
    drawn = np.random.default_rng(config.seed).permutation(met)[:amount]
    part = np.zeros(len(log.items), np.int8)  # 0 kept, 1 validation, 2 test
    part[drawn[: amount // 2]], part[drawn[amount // 2 :]] = 1, 2
    kept = part[log.item] == 0
    train = log.take(kept)
    before = offsets_of(kept)  # kept interactions before each position
    queries = []
    for number in (1, 2):
        at = np.flatnonzero(part[log.item] == number)
        queries.append(_single(log, at, before[at], pool=train))
    return _finish(
        log,
        train,
        validation=queries[0],
        test=queries[1],
        config=config,
        counts={"withheld_items": amount},
    )


def _by_column(log: Interactions, config: FixedConfig) -> Split:
    if config.column not in log.context:
        known = ", ".join(log.context) or "none"
        raise DataError(
            f"'fixed' needs the context column '{config.column}', which names each interaction's "
            f"part (train, validation, test); context columns: {known}"
        )
    names = log.context[config.column].index.to_numpy()
    part = names[log.context_rows[config.column]]
    strange = sorted(set(map(str, names)) - {"train", "validation", "valid", "test"})
    if strange:
        raise DataError(
            f"column '{config.column}' holds '{strange[0]}'; expected train, validation or test"
        )
    bare = _without_context(log, config.column)
    validation = bare.take((part == "validation") | (part == "valid"))
    return split_fixed(
        bare.take(part == "train"),
        bare.take(part == "test"),
        validation=validation if len(validation) else None,
        config=config,
    )


def split_fixed(
    train: Interactions,
    test: Interactions,
    *,
    validation: Interactions | None = None,
    config: FixedConfig | None = None,
) -> Split:
    """The publisher's parts as three logs with the same id maps: one query a user and part.

    Raises:
        DataError: The parts do not share their id maps, or one is empty.
    """
    config = config or FixedConfig()
    for other in (test, validation):
        if other is not None and (
            not other.users.index.equals(train.users.index)
            or not other.items.index.equals(train.items.index)
        ):
            raise DataError("the parts of a fixed split must share one user and one item id map")
    drawn = validation is None and config.validation_share > 0
    if drawn:
        held = _drawn(train, config.validation_share, config.seed)
        train, validation = train.take(~held), train.take(held)
    known = train if validation is None else _joined(train, validation)
    nothing = train.take(np.zeros(len(train), np.bool_))
    return _finish(
        _joined(known, test),
        train,
        validation=_by_user(nothing if validation is None else validation, pool=train),
        test=_by_user(test, pool=known),
        config=config,
        counts={"validation": "drawn" if drawn else "given" if validation is not None else "none"},
    )


def _drawn(log: Interactions, share: float, seed: int) -> Mask:
    """Each user's ``share`` (rounded down) of interactions, at random; bool ``[n]``."""
    order = np.lexsort((np.random.default_rng(seed).random(len(log)), log.user))
    place = np.empty(len(log), np.int64)
    place[order] = np.arange(len(log)) - log.offsets[log.user[order]]
    return place < np.floor(share * np.diff(log.offsets))[log.user]


def _single(
    log: Interactions, at: Positions, stop: Positions, *, pool: Interactions | None = None
) -> HeldOut:
    """One query for each position ``at``; its history is the user's pool up to ``stop``."""
    pool = log if pool is None else pool
    return HeldOut(
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
    )


def _by_user(targets: Interactions, *, pool: Interactions) -> HeldOut:
    """One query a user, with all of the user's targets (each once); history is the user's pool."""
    codes = targets.user.astype(np.int64) * len(targets.items) + targets.item
    first = np.sort(np.unique(codes, return_index=True)[1])
    user, item = targets.user[first], targets.item[first]
    users, at = np.unique(user, return_index=True)
    heads = first[at]
    return HeldOut(
        user=users.astype(np.int32),
        pool=pool.item,
        history_start=pool.offsets[users],
        history_stop=pool.offsets[users + 1],
        target_rows=item,
        target_offsets=np.append(at, len(item)).astype(np.int64),
        time=targets.time[heads],
        terms=np.zeros(len(users), np.int32),
        phrases=targets.phrases,
        context=targets.context,
        context_rows={name: rows[heads] for name, rows in targets.context_rows.items()},
    )


def _finish(
    log: Interactions,
    train: Interactions,
    *,
    validation: HeldOut,
    test: HeldOut,
    config: SplitConfig,
    counts: dict[str, Any],
) -> Split:
    """What all protocols end with: clean queries, the validation sample, the statement."""
    least = getattr(config, "min_history", 0)
    kept, removed = [], {}
    for name, queries in (("validation", validation), ("test", test)):
        lengths = queries.history_lengths
        longer = queries.take(lengths >= least)
        removed[f"{name}_short_histories"] = len(queries) - len(longer)
        fresh = _without_repeats(longer) if config.repeats == "drop" else longer
        removed[f"{name}_repeats"] = len(longer.target_rows) - len(fresh.target_rows)
        kept.append(fresh)
    if not len(train) or not len(kept[1]):
        raise DataError(
            f"'{config.protocol}' leaves {len(train)} interactions to train on and {len(kept[1])} "
            "test queries; both must be more than none: choose other bounds or another protocol"
        )
    sampled = _sampled(kept[0], config.validation_sample, config.seed)
    met = log.item_counts > 0
    candidates = met if config.candidates == "met" else np.ones(len(log.items), np.bool_)
    statement = {
        "name": config.protocol,
        "config": config.model_dump(mode="json"),
        "history": _HISTORY[config.protocol],
        "ranked": f"all {int(candidates.sum())} items of the "
        + ("log" if config.candidates == "met" else "catalogue")
        + ", the query's history left out",
        "interactions": len(log),
        "train_interactions": len(train),
        "train_users": int((np.diff(train.offsets) > 0).sum()),
        "warm_items": int(train.warm.sum()),
        "candidates": int(candidates.sum()),
        "validation_queries": len(sampled),
        "validation_queries_before_sampling": len(kept[0]),
        "test_queries": len(kept[1]),
        "test_targets": len(kept[1].target_rows),
        "cold_test_targets": int((~train.warm[kept[1].target_rows]).sum()),
        "removed": removed,
        **counts,
    }
    return Split(train, sampled, kept[1], candidates, train.warm, statement)


def _without_repeats(queries: HeldOut) -> HeldOut:
    """Leave out targets that the query's own history holds, and queries left with none."""
    keep = np.concatenate(
        [~np.isin(queries.targets(i), queries.history(i)) for i in range(len(queries))]
        or [np.zeros(0, np.bool_)]
    )
    if keep.all():
        return queries
    owner = np.repeat(np.arange(len(queries)), np.diff(queries.target_offsets))[keep]
    lengths = np.bincount(owner, minlength=len(queries))
    trimmed = HeldOut(
        **{
            **queries.__dict__,
            "target_rows": queries.target_rows[keep],
            "target_offsets": offsets_of(lengths),
        }
    )
    return trimmed.take(lengths > 0)


def _sampled(queries: HeldOut, limit: int | None, seed: int) -> HeldOut:
    if limit is None or len(queries) <= limit:
        return queries
    drawn = np.random.default_rng(seed).choice(len(queries), limit, replace=False)
    return queries.at(np.sort(drawn))


def _joined(first: Interactions, second: Interactions) -> Interactions:
    """Two logs with the same id maps as one; the second's phrases must be the first's."""
    if first.phrases != second.phrases or list(first.context) != list(second.context):
        raise DataError("the parts of a fixed split must share their phrases and context columns")
    return Interactions.of(
        first.users,
        first.items,
        clock=first.clock,
        phrases=first.phrases,
        context=first.context,
        context_rows={
            name: np.concatenate([first.context_rows[name], second.context_rows[name]])
            for name in first.context
        },
        **{
            name: np.concatenate([getattr(first, name), getattr(second, name)])
            for name in ("user", "item", "time", "weight", "terms")
        },
    )


def _without_context(log: Interactions, column: str) -> Interactions:
    return Interactions(
        log.users,
        log.items,
        log.user,
        log.item,
        log.time,
        log.clock,
        log.weight,
        log.phrases,
        log.terms,
        {name: ids for name, ids in log.context.items() if name != column},
        {name: rows for name, rows in log.context_rows.items() if name != column},
    )


def _second(log: Interactions, moment: Moment) -> int:
    """A moment in seconds; a quantile becomes the time of the interaction at that rank."""
    if not isinstance(moment, float):
        return int(seconds_of(moment))
    ordered = np.sort(log.time)
    return int(ordered[min(int(moment * len(ordered)), len(ordered) - 1)]) if len(ordered) else 0


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat()
