"""From a log to batches of whole users: all their items at once, in no order.

Plain numpy, and a function of the seed and the epoch alone, as ``batches``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows
from recsys.interactions import Interactions
from recsys.towers.losses.configs import SetSoftmax
from recsys.towers.training.batches import Batch


def group_users(log: Interactions, *, positions: int, seed: int, epoch: int) -> list[Rows]:
    """The users who met anything, in random order, cut so that about ``positions`` interactions
    share a group; a user is never cut."""
    sizes = np.diff(log.offsets)
    order = np.random.default_rng([seed, epoch]).permutation(np.flatnonzero(sizes > 0))
    before = np.cumsum(sizes[order]) - sizes[order]
    numbers = before // positions
    cuts = np.flatnonzero(np.diff(numbers)) + 1
    return [users.astype(np.int32) for users in np.split(order, cuts)]


def load_sets(
    log: Interactions,
    groups: list[Rows],
    loss: SetSoftmax,
    *,
    window: int,
    seed: int,
    epoch: int,
) -> Iterator[Batch]:
    """Each group as arrays: b users, and p items that each of them should find.

    Keys: ``user`` ``[b]``; ``item``, ``weight`` and ``of`` (the place of its user in the batch)
    ``[p]``; ``history`` ``[b, t]``, padded at the end, and ``length`` ``[b]``: what of a user's
    items the query tower is shown, the last ``window`` of those that ``loss.history_dropout``
    spares.
    """
    for at, users in enumerate(groups):
        of, places = flat_positions(log.offsets, users)
        weight = log.weight[places].astype(np.float64)
        if loss.counts == "users":
            weight /= np.bincount(of, weight)[of]
        rng = np.random.default_rng([seed, epoch, at])
        spared = rng.random(len(of)) >= loss.history_dropout
        items, weight = log.item[places], weight.astype(np.float32)
        history, length = _histories(log.item[places[spared]], of[spared], len(users), window)
        yield {
            "user": users,
            "item": items,
            "of": of,
            "weight": weight,
            "history": history,
            "length": length,
        }


def flat_positions(
    offsets: npt.NDArray[np.int64], users: Rows
) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Of each entry of ``users``: the place of its user among them, and its own in the log."""
    sizes = np.diff(offsets)[users]
    of = np.repeat(np.arange(len(users), dtype=np.int32), sizes)
    within = np.arange(len(of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return of, offsets[users][of] + within


def _histories(items: Rows, of: Rows, users: int, window: int) -> tuple[Rows, Rows]:
    """The last ``window`` items of each user as ``[users, t]``, and how many there are."""
    counts = np.bincount(of, minlength=users)
    length = np.minimum(counts, window)
    place = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    place -= (counts - length)[of]
    kept = place >= 0
    history = np.zeros((users, int(length.max(initial=0))), np.int32)
    history[of[kept], place[kept]] = items[kept]
    return history, length.astype(np.int32)
