"""Training objectives: the model of a loss and its batches, by position or by user."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.losses.configs import SetSoftmax
from recsys.towers.model.position_model import TwoTowerModel
from recsys.towers.model.set_model import SetModel
from recsys.towers.model.two_towers import TwoTowers
from recsys.towers.training.batches import Batch, load_batches, training_batches
from recsys.towers.training.set_batches import group_users, load_sets


@dataclass(frozen=True)
class Objective(ABC):
    """A model and its batches; batches depend on the seed and the epoch alone."""

    towers: TowersConfig
    train: TrainConfig
    log: Interactions
    kind: ClassVar[type[TwoTowerModel | SetModel]]

    def model(
        self,
        blocks: Sequence[FeatureBlock],
        phrase_vectors: Vectors,
        user_block: FeatureBlock | None,
    ) -> TwoTowers:
        """A new model."""
        return self.kind(self.towers, self.train, self.log, blocks, phrase_vectors, user_block)

    @abstractmethod
    def groups(self, epoch: int) -> list[Any]:
        """Windows or users of each step of an epoch."""

    @abstractmethod
    def load(self, epoch: int, groups: list[Any]) -> Iterator[Batch]:
        """Batch of each group."""


def build_objective(towers: TowersConfig, train: TrainConfig, log: Interactions) -> Objective:
    """The objective of ``train.loss``."""
    kind = UserObjective if isinstance(train.loss, SetSoftmax) else PositionObjective
    return kind(towers, train, log)


class PositionObjective(Objective):
    """One query per position of each history."""

    kind = TwoTowerModel

    def groups(self, epoch: int) -> list[Any]:
        return training_batches(
            self.log,
            window=self.towers.history.window,
            positions=self.train.batch_positions,
            seed=self.train.seed,
            epoch=epoch,
        )

    def load(self, epoch: int, groups: list[Any]) -> Iterator[Batch]:
        return load_batches(self.log, groups, times=self.towers.history.reads_times)


class UserObjective(Objective):
    """One query per user, with all of the user's items as positives."""

    kind = SetModel

    def groups(self, epoch: int) -> list[Any]:
        return group_users(
            self.log, positions=self.train.batch_positions, seed=self.train.seed, epoch=epoch
        )

    def load(self, epoch: int, groups: list[Any]) -> Iterator[Batch]:
        assert isinstance(self.train.loss, SetSoftmax)
        return load_sets(
            self.log,
            groups,
            self.train.loss,
            window=self.towers.history.window,
            seed=self.train.seed,
            epoch=epoch,
        )
