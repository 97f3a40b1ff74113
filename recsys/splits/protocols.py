"""Protocols that split one log: by position in a user's history, by time, by item."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.interactions import Interactions
from recsys.splits.advice import iso
from recsys.splits.config import (
    ColdItemsConfig,
    GlobalTimeConfig,
    LeaveLastOutConfig,
    Moment,
    SplitConfig,
    seconds_of,
)
from recsys.splits.fixed import split_by_column
from recsys.splits.held_out import HeldOutQueries, Positions, offsets_of
from recsys.splits.parts import Split, build_split, one_per_position, target_mask


def split(interactions: Interactions, config: SplitConfig) -> Split:
    """Split a log by the protocol that ``config`` names.

    Interactions of one user at the same time keep the order of the log, so that a log is always
    split the same way.

    Raises:
        DataError: The log does not fit the protocol, or nothing is left to train on or to test.
    """
    if isinstance(config, LeaveLastOutConfig):
        return _leave_last_out(interactions, config)
    if isinstance(config, GlobalTimeConfig):
        return _global_time(interactions, config)
    if isinstance(config, ColdItemsConfig):
        return _cold_items(interactions, config)
    return split_by_column(interactions, config)


def _leave_last_out(log: Interactions, config: LeaveLastOutConfig) -> Split:
    lengths = np.diff(log.offsets)
    everything = np.ones(len(log), np.bool_)
    at, part = _last_two(log, everything, target_mask(log, config))
    counts = {"users_too_short_to_test": int(((lengths > 0) & (lengths < 3)).sum())}
    if config.target_events is not None:
        counts["users_without_a_target"] = int((lengths >= 3).sum()) - len(at[1])
        counts["interactions_after_the_test_target"] = int((part == 2).sum()) - len(at[1])
    return build_split(
        log,
        log.take(part == 0),
        final=log.take(part < 2),
        validation=one_per_position(log, at[0], at[0]),
        test=one_per_position(log, at[1], at[1]),
        config=config,
        counts=counts,
    )


def _global_time(log: Interactions, config: GlobalTimeConfig) -> Split:
    if log.clock != "timestamp":
        raise DataError(
            "'global-time' needs timestamps, and this log has only positions within a user; "
            "use 'leave-last-out', or name the column of the timestamps (columns.timestamp)"
        )
    first, second = (_second(log, moment) for moment in (config.validation_from, config.test_from))
    if first >= second:
        enough = len(np.unique(log.time[log.time < first])) > 1
        raise DataError(
            f"validation and test both begin at {iso(first)}, since many interactions have that"
            f" second: {'set split.validation_from earlier, or ' if enough else ''}use the protocol"
            " 'leave-last-out'"
        )
    # The first position of each (user, time): what lies before it in the user is strictly earlier.
    new = np.ones(len(log), np.bool_)
    new[1:] = (log.user[1:] != log.user[:-1]) | (log.time[1:] != log.time[:-1])
    earlier = np.maximum.accumulate(np.where(new, np.arange(len(log)), 0))
    parts, targets = [], target_mask(log, config)
    for held in ((log.time >= first) & (log.time < second), log.time >= second):
        at = np.flatnonzero(held & targets)
        parts.append(one_per_position(log, at, earlier[at]))
    return build_split(
        log,
        log.take(log.time < first),
        final=log.take(log.time < second),
        validation=parts[0],
        test=parts[1],
        config=config,
        counts={"validation_from": iso(first), "test_from": iso(second)},
    )


def _cold_items(log: Interactions, config: ColdItemsConfig) -> Split:
    used = np.flatnonzero(log.item_counts)
    amount = round(config.share * len(used))
    if amount < 2 or amount == len(used):
        raise DataError(
            f"split.share = {config.share} of {len(used)} items withholds {amount}; at least 2 must"
            " be withheld (one for validation, one for test) and at least 1 kept: "
            + (f"set it to {_share(len(used)):.2g}" if len(used) > 2 else "more items are needed")
        )
    drawn = np.random.default_rng(config.seed).permutation(used)[:amount]
    part = np.zeros(len(log.items), np.int8)  # 0 kept, 1 validation, 2 test
    part[drawn[: amount // 2]], part[drawn[amount // 2 :]] = 1, 2
    held = part[log.item]  # part of each interaction
    kept, targets = held == 0, target_mask(log, config)
    queried = ~kept & targets
    if config.warm == "last":
        at, last = _last_two(log, kept, targets)
        held = held + last
        queried[np.concatenate(at)] = True
    # Histories of validation queries must not hold targets of the test.
    validation, test = (
        _queries(log, queried & (held == number), history)
        for number, history in ((1, held == 0), (2, kept))
    )
    return build_split(
        log,
        log.take(held == 0),
        final=log.take(held != 2),
        validation=validation,
        test=test,
        config=config,
        counts={"withheld_items": amount},
    )


def _last_two(
    log: Interactions, kept: Mask, targets: Mask
) -> tuple[tuple[Positions, Positions], npt.NDArray[np.int8]]:
    """Each user's last target of ``kept`` for the test, and the one before it for validation.

    Users with fewer than two kept interactions before their last target are not tested.

    Returns:
        Positions of the validation and of the test targets, and the part of each interaction, int8
        ``[n]``: 1 from the validation target, 2 from the test target, 0 where not ``kept``.
    """
    at = np.flatnonzero(kept & targets)
    before = offsets_of(kept)[at] - offsets_of(kept)[log.offsets[log.user[at]]]
    user = log.user[at]
    is_last = np.append(user[1:] != user[:-1], np.ones(min(len(at), 1), np.bool_))
    test = np.flatnonzero(is_last & (before >= 2))
    second = test[test > 0] - 1
    validation = second[(user[second] == user[second + 1]) & (before[second] >= 1)]
    first_held, first_tested = np.full((2, len(log.users)), len(log))
    first_held[user[test]] = first_tested[user[test]] = at[test]
    first_held[user[validation]] = at[validation]
    position = np.arange(len(log))
    part = (position >= first_held[log.user]) + (position >= first_tested[log.user]).astype(np.int8)
    return (at[validation], at[test]), np.where(kept, part, 0).astype(np.int8)


def _queries(log: Interactions, held: Mask, history: Mask) -> HeldOutQueries:
    """A query for each interaction of ``held``, after the interactions of ``history`` before it."""
    at = np.flatnonzero(held)
    return one_per_position(log, at, offsets_of(history)[at], pool=log.take(history))


def _second(log: Interactions, moment: Moment) -> int:
    """A moment in seconds; a quantile becomes the time of the interaction at that rank."""
    if not isinstance(moment, float):
        return int(seconds_of(moment))
    ordered = np.sort(log.time)
    return int(ordered[min(int(moment * len(ordered)), len(ordered) - 1)]) if len(ordered) else 0


def _share(items: int) -> float:
    """The default share, or a greater one that withholds 2 of at least 3 items."""
    return max(ColdItemsConfig().share, 2 / items)
