"""The objective of a training: the model of its loss, and batches by position or by user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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
class Objective:
    """A model and its batches, which depend on the seed and the epoch alone.

    Under ``set-softmax`` an example is a user with all their items, otherwise a position.
    """

    towers: TowersConfig
    train: TrainConfig
    log: Interactions

    def model(
        self,
        blocks: Sequence[FeatureBlock],
        phrase_vectors: Vectors,
        user_block: FeatureBlock | None,
    ) -> TwoTowers:
        """A new model."""
        kind = SetModel if isinstance(self.train.loss, SetSoftmax) else TwoTowerModel
        return kind(self.towers, self.train, self.log, blocks, phrase_vectors, user_block)

    def groups(self, epoch: int) -> list[Any]:
        """Windows or users of each step of an epoch."""
        positions, seed = self.train.batch_positions, self.train.seed
        if isinstance(self.train.loss, SetSoftmax):
            return group_users(self.log, positions=positions, seed=seed, epoch=epoch)
        window = self.towers.history.window
        return training_batches(
            self.log, window=window, positions=positions, seed=seed, epoch=epoch
        )

    def load(self, epoch: int, groups: list[Any]) -> Iterator[Batch]:
        """Batch of each group."""
        loss, history = self.train.loss, self.towers.history
        seed = self.train.seed
        if not isinstance(loss, SetSoftmax):
            times = history.reads_times
            return load_batches(self.log, groups, seed=seed, epoch=epoch, times=times)
        return load_sets(self.log, groups, loss, window=history.window, seed=seed, epoch=epoch)
