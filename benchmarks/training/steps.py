"""Training steps of the towers without checkpoints and validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from recsys._tf import compiled, tf, tf_keras
from recsys.features import FeatureBlock
from recsys.interactions import Interactions
from recsys.towers import TowersConfig, TrainConfig
from recsys.towers.training.objectives import Objective
from recsys.towers.training.optimizer import build_optimizer

Tensors = dict[str, Any]


class TowerSteps:
    """Model, optimizer and batches as in ``recsys.towers.fit``."""

    def __init__(
        self,
        log: Interactions,
        towers: TowersConfig,
        train: TrainConfig,
        *,
        blocks: Sequence[FeatureBlock] = (),
    ) -> None:
        tf_keras.utils.set_random_seed(train.seed)
        self._objective = Objective(towers, train, log)
        no_terms = np.zeros((len(log.phrases), 0), np.float32)
        self.model = self._objective.model(blocks, no_terms, None)
        groups = self._objective.groups(0)
        self.optimizer = build_optimizer(train, len(groups) * train.epochs)
        self.model.compile(optimizer=self.optimizer)
        first = self._tensors(next(self._objective.load(0, groups)))
        self.model.compute_loss(first)
        self.optimizer.build(self.model.trainable_variables)
        shapes = {name: tf.TensorSpec([None] * t.ndim, t.dtype) for name, t in first.items()}
        self._step = compiled(self.model.train_step, input_signature=[shapes])
        self.positions = 0
        """Number of positions of all steps so far, without padding."""

    def batches(self, epoch: int) -> Iterator[Tensors]:
        """Batches of an epoch, loaded one by one."""
        groups = self._objective.groups(epoch)
        return map(self._tensors, self._objective.load(epoch, groups))

    def step(self, batch: Tensors) -> float:
        """Take one step; its loss."""
        self.positions += int(np.count_nonzero(batch["weight"].numpy()))
        return float(self._step(batch)["loss"])

    @staticmethod
    def _tensors(batch: Any) -> Tensors:
        return {name: tf.constant(part) for name, part in batch.items()}
