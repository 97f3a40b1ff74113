"""Small worlds with a provable answer, for the towers."""

from __future__ import annotations

import numpy as np

from recsys.ids import IdMap, Rows
from recsys.interactions import Interactions


def cycle(users: int = 24, items: int = 8, length: int = 12) -> Interactions:
    """Every user walks round the same circle of items: after item i always comes i + 1."""
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


def tastes(users: int = 24, items: int = 8, kinds: int = 4, length: int = 12) -> Interactions:
    """Every user keeps to the items of one kind, in any order; item i has kind i mod ``kinds``."""
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


def unmet(log: Interactions, item: int) -> Interactions:
    """The same log without one item, which thereby becomes cold."""
    return log.take(log.item != item)


def two_tastes(users: int = 20, items: int = 16, met: int = 5, seed: int = 0) -> Interactions:
    """Even users met some of the even items and odd users of the odd ones, in no order."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), met)
    item = [2 * rng.permutation(items // 2)[:met] + each % 2 for each in range(users)]
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(users)]),
        IdMap.of("item", [f"i{row}" for row in range(items)]),
        user=user,
        item=np.concatenate(item),
        time=np.zeros(len(user)),
        clock="position",
    )


def checker_board(size: int) -> tuple[Interactions, Rows]:
    """User u meets every item of its colour (u and i both even, or both odd) but item u.

    Also which item that is: of those not met, the one of u's colour.
    """
    user, item = np.nonzero(np.add.outer(np.arange(size), np.arange(size)) % 2 == 0)
    met = user != item
    log = Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(size)]),
        IdMap.of("item", [f"i{row}" for row in range(size)]),
        user=user[met],
        item=item[met],
        time=np.arange(int(met.sum())),
        clock="position",
    )
    return log, np.arange(size, dtype=np.int32)
