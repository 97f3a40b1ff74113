"""The members of a training: what each is, and what they are together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.interactions import Interactions
from recsys.towers.config import MemberConfig, TowersConfig, TrainConfig
from recsys.towers.ensemble.joined import JoinedTowers
from recsys.towers.query import QueryBatch
from recsys.towers.towers import Towers

SEEDS_APART = 100_003
"""Between two members' seeds, so that members of runs with neighbouring seeds differ too."""
ASKED = 50_000
"""By so many users' queries the members' vectors are brought to fewer dimensions."""


def pairs_of(train: TrainConfig) -> int:
    """How many pairs of towers are trained."""
    return max(len(train.members), 1)


def of_member(towers: TowersConfig, train: TrainConfig, number: int) -> dict[str, Any]:
    """What the pair with this number is; the first one's seed is the run's."""
    given = train.members[number - 1] if train.members else MemberConfig()
    own = {name: part for name, part in given if part is not None}
    seed = (train.seed + SEEDS_APART * (number - 1)) % 2**31
    return {
        "towers": towers.model_copy(update=own),
        "train": train.model_copy(update={"seed": seed, "members": (), "distillation": None}),
    }


def join(pairs: Sequence[Towers], train: TrainConfig, log: Interactions) -> JoinedTowers:
    """The trained members as one, in ``train.members_dimension`` dimensions."""
    towers = JoinedTowers(tuple(pairs))
    if train.members_dimension is None:
        return towers
    asked = _asked_in_training(log, seed=train.seed)
    return towers.reduced(asked, log.warm, dimension=train.members_dimension)


def _asked_in_training(log: Interactions, *, seed: int) -> QueryBatch:
    """Users who met something, each with all that they met."""
    users = np.flatnonzero(np.diff(log.offsets) > 0).astype(np.int32)
    if len(users) > ASKED:
        users = np.sort(np.random.default_rng(seed).choice(users, ASKED, replace=False))
    return QueryBatch.of([log.history(int(user)) for user in users], users=users)
