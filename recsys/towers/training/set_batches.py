"""Training batches of whole users: all their items at once, without an order.

Plain numpy, and a function of the seed and the epoch alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows
from recsys.interactions import Interactions
from recsys.towers.losses.configs import SetSoftmax
from recsys.towers.training.batches import Batch, step_seed


def group_users(log: Interactions, *, positions: int, seed: int, epoch: int) -> list[Rows]:
    """Users with interactions, in random order, in groups of about ``positions`` interactions."""
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
    """Each group as arrays: b users, and their p items as positives.

    Keys: ``user`` ``[b]``; ``item``, ``weight`` and ``of`` (index of the user in the batch)
    ``[p]``; ``history`` ``[b, t]``, padded at the end, and ``length`` ``[b]``: the last ``window``
    of a user's items after ``loss.history_dropout``; ``seed`` of the step, int64 ``[2]``. The
    weights of a user sum to 1, or have the mean 1 over the log (``loss.counts``).
    """
    mean = log.weight.mean(dtype=np.float64)
    for index, users in enumerate(groups):
        of, positions = flat_positions(log.offsets, users)
        items = log.item[positions]
        weight = log.weight[positions].astype(np.float64)
        weight /= np.bincount(of, weight)[of] if loss.counts == "users" else mean
        rng = np.random.default_rng([seed, epoch, index])
        shown = rng.random(len(of)) >= loss.history_dropout
        history, length = _histories(items[shown], of[shown], len(users), window)
        yield {
            "user": users,
            "item": items,
            "of": of,
            "weight": weight.astype(np.float32),
            "history": history,
            "length": length,
            "seed": step_seed(seed, epoch, index),
        }


def flat_positions(
    offsets: npt.NDArray[np.int64], users: Rows
) -> tuple[Rows, npt.NDArray[np.int64]]:
    """All entries of ``users`` in a table with ``offsets``: index of the user, and position."""
    sizes = np.diff(offsets)[users]
    of = np.repeat(np.arange(len(users), dtype=np.int32), sizes)
    within = np.arange(len(of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return of, offsets[users][of] + within


def _histories(items: Rows, of: Rows, users: int, window: int) -> tuple[Rows, Rows]:
    """The last ``window`` items of each user, ``[users, t]``, and their number."""
    counts = np.bincount(of, minlength=users)
    length = np.minimum(counts, window)
    position = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    position -= (counts - length)[of]
    read = position >= 0
    history = np.zeros((users, int(length.max(initial=0))), np.int32)
    history[of[read], position[read]] = items[read]
    return history, length.astype(np.int32)
