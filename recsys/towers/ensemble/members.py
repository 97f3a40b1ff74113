"""The members of a training: the configuration of each."""

from __future__ import annotations

from typing import Any

from recsys.towers.config import MemberConfig, TowersConfig, TrainConfig

SEED_STEP = 100_003
"""Difference of two members' seeds, so that members of runs with neighbouring seeds differ too."""


def member_count(train: TrainConfig) -> int:
    """Number of two-tower models that are trained."""
    return max(len(train.members), 1)


def member_config(towers: TowersConfig, train: TrainConfig, number: int) -> dict[str, Any]:
    """``towers`` and ``train`` of a member, numbered from 1; the first has the seed of the run."""
    given = train.members[number - 1] if train.members else MemberConfig()
    own = {name: part for name, part in given if part is not None}
    seed = (train.seed + SEED_STEP * (number - 1)) % 2**31
    return {
        "towers": towers.model_copy(update=own),
        "train": train.model_copy(update={"seed": seed, "members": (), "distillation": None}),
    }
