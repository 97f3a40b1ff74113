"""Small logs with known best answers, for the towers."""

from __future__ import annotations

import numpy as np

from recsys.ids import IdMap, Rows
from recsys.interactions import Interactions


def cycle(users: int = 24, items: int = 8, length: int = 12) -> Interactions:
    """Interactions of every user along one circle of items: item i is followed by i + 1."""
    user = np.repeat(np.arange(users), length)
    step = np.tile(np.arange(length), users)
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(users)]),
        IdMap.of("item", [f"i{row}" for row in range(items)]),
        user=user,
        item=(user + step) % items,
        time=step,
        clock="position",
    )


def one_kind_per_user(
    users: int = 24, items: int = 8, kinds: int = 4, length: int = 12
) -> Interactions:
    """Each user's items are of one kind, in any order; item i has kind i mod ``kinds``."""
    rng = np.random.default_rng(2)
    user = np.repeat(np.arange(users), length)
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(users)]),
        IdMap.of("item", [f"i{row}" for row in range(items)]),
        user=user,
        item=user % kinds + kinds * rng.integers(items // kinds, size=len(user)),
        time=np.tile(np.arange(length), users),
        clock="position",
    )


def without_item(log: Interactions, item: int) -> Interactions:
    """The log without the interactions of an item, which becomes cold."""
    return log.take(log.item != item)


def two_groups(users: int = 20, items: int = 16, length: int = 5, seed: int = 0) -> Interactions:
    """Interactions of even users with even items and of odd users with odd ones, in no order."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), length)
    item = [2 * rng.permutation(items // 2)[:length] + each % 2 for each in range(users)]
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(users)]),
        IdMap.of("item", [f"i{row}" for row in range(items)]),
        user=user,
        item=np.concatenate(item),
        time=np.zeros(len(user)),
        clock="position",
    )


def checker_board(size: int) -> tuple[Interactions, Rows]:
    """Interactions of user u with every item i of the same parity except item u.

    Also that item per user: the only one of the same parity without an interaction.
    """
    user, item = np.nonzero(np.add.outer(np.arange(size), np.arange(size)) % 2 == 0)
    seen = user != item
    log = Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(size)]),
        IdMap.of("item", [f"i{row}" for row in range(size)]),
        user=user[seen],
        item=item[seen],
        time=np.arange(int(seen.sum())),
        clock="position",
    )
    return log, np.arange(size, dtype=np.int32)
