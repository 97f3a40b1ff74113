"""The protocols that cut one log: by place in a user's history, by time, by item."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.interactions import Interactions
from recsys.splits.config import (
    ColdItemsConfig,
    GlobalTimeConfig,
    LeaveLastOutConfig,
    Moment,
    SplitConfig,
    seconds_of,
)
from recsys.splits.fixed import split_by_column
from recsys.splits.held_out import HeldOutQueries, offsets_of
from recsys.splits.parts import Split, finish, one_per_position


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
    return split_by_column(interactions, config)


def _leave_last_out(log: Interactions, config: LeaveLastOutConfig) -> Split:
    lengths = np.diff(log.offsets)
    ends = log.offsets[1:][lengths >= 3]
    held, tested = np.zeros((2, len(log)), np.bool_)
    held[ends - 1] = held[ends - 2] = tested[ends - 1] = True
    return finish(
        log,
        log.take(~held),
        final=log.take(~tested),
        validation=one_per_position(log, ends - 2, ends - 2),
        test=one_per_position(log, ends - 1, ends - 1),
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
        parts.append(one_per_position(log, at, earlier[at]))
    return finish(
        log,
        log.take(log.time < first),
        final=log.take(log.time < second),
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
    held = part[log.item]  # per interaction, the part that asks for it
    kept = held == 0
    if config.warm == "last":
        held = held + _last_two(log, kept)
    # What a validation query remembers must not hold what the test asks for.
    queries = [
        _asked(log, held == number, remembered)
        for number, remembered in ((1, held == 0), (2, kept))
    ]
    return finish(
        log,
        log.take(held == 0),
        final=log.take(held != 2),
        validation=queries[0],
        test=queries[1],
        config=config,
        counts={"withheld_items": amount},
    )


def _last_two(log: Interactions, kept: Mask) -> npt.NDArray[np.int8]:
    """Of each user with three kept interactions or more: 2 at the last, 1 at the one before it."""
    part = np.zeros(len(log), np.int8)
    places = np.flatnonzero(kept)
    bounds = offsets_of(kept)[log.offsets]
    ends = bounds[1:][np.diff(bounds) >= 3]
    part[places[ends - 1]], part[places[ends - 2]] = 2, 1
    return part


def _asked(log: Interactions, asked: Mask, remembered: Mask) -> HeldOutQueries:
    """A query for each interaction of ``asked``; its history, those ``remembered`` before it."""
    at = np.flatnonzero(asked)
    before = offsets_of(remembered)
    return one_per_position(log, at, before[at], pool=log.take(remembered))


def _second(log: Interactions, moment: Moment) -> int:
    """A moment in seconds; a quantile becomes the time of the interaction at that rank."""
    if not isinstance(moment, float):
        return int(seconds_of(moment))
    ordered = np.sort(log.time)
    return int(ordered[min(int(moment * len(ordered)), len(ordered) - 1)]) if len(ordered) else 0


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat()
