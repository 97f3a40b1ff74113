"""What the towers are trained on: every position of every history, or whole users.

The loss decides. Both make a model and the batches that it computes its loss of.
"""

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
    """A function of the seed and the epoch, so that a resumed run goes on as it would have."""

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
        """Fresh towers, and what they are trained by."""
        return self.kind(self.towers, self.train, self.log, blocks, phrase_vectors, user_block)

    @abstractmethod
    def groups(self, epoch: int) -> list[Any]:
        """The steps of an epoch."""

    @abstractmethod
    def load(self, epoch: int, groups: list[Any]) -> Iterator[Batch]:
        """The batch of each step."""


def build_objective(towers: TowersConfig, train: TrainConfig, log: Interactions) -> Objective:
    """The objective that ``train.loss`` needs."""
    kind = _Sets if isinstance(train.loss, SetSoftmax) else _Positions
    return kind(towers, train, log)


class _Positions(Objective):
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
        times = "load" if self.towers.history.reads_times else "leave"
        return load_batches(self.log, groups, times=times)


class _Sets(Objective):
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
