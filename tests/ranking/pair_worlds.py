"""Small logs for the pair networks, with known answers."""

from __future__ import annotations

import numpy as np

from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.interactions import Interactions

KINDS, EACH = 6, 6
ITEMS = KINDS * EACH
KIND = np.arange(ITEMS) % KINDS


def kinds_block() -> FeatureBlock:
    """Kinds of the items as unit vectors, with a little noise."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=(ITEMS, KINDS))
    return FeatureBlock(
        (np.eye(KINDS)[KIND] + noise).astype(np.float32), np.ones(ITEMS, bool), "kind"
    )


def followers(users: int = 480, seed: int = 1) -> Interactions:
    """Interactions in which an item of kind k is followed by one of kind k + 1."""
    rng = np.random.default_rng(seed)
    lines = []
    for user in range(users):
        kind = user % KINDS
        lines += [rng.choice(np.flatnonzero(each % KINDS == KIND)) for each in (kind, kind + 1)]
    return log_of(users, 2, lines)


def searchers(users: int = 120, length: int = EACH, seed: int = 2) -> Interactions:
    """Interactions with items of the kind in the user's first search, and with no others."""
    rng = np.random.default_rng(seed)
    lines, terms = [], []
    for user in range(users):
        kind = user % KINDS
        lines += list(rng.permutation(np.flatnonzero(kind == KIND))[:length])
        terms += [1 + kind] + [0] * (length - 1)
    phrases = ("", *(f"the word{kind}" for kind in range(KINDS)))
    return log_of(users, length, lines, terms=terms, phrases=phrases)


def log_of(users: int, length: int, items, **searches) -> Interactions:
    """``length`` interactions per user, in the order given."""
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(users)]),
        IdMap.of("item", [f"i{row}" for row in range(ITEMS)]),
        user=np.repeat(np.arange(users), length),
        item=items,
        time=np.tile(np.arange(length), users),
        clock="position",
        **searches,
    )
