"""The members of a training: the configuration of each."""

from __future__ import annotations

from typing import Any

from recsys.towers.config import MemberConfig, TowersConfig, TrainConfig

SEEDS_APART = 100_003
"""Between two members' seeds, so that members of runs with neighbouring seeds differ too."""


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
