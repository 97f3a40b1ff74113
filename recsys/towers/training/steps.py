"""The training of one pair of towers: its model, its optimizer, and one pass after another."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from recsys._tf import compiled, tf, tf_keras
from recsys.progress import Progress
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.towers import Towers, freeze
from recsys.towers.training.averaging import MovingAverage
from recsys.towers.training.batches import Batch
from recsys.towers.training.collapse import refuse_collapsed
from recsys.towers.training.data import TrainingData
from recsys.towers.training.objectives import build_objective
from recsys.towers.training.optimizer import build_optimizer
from recsys.towers.training.passes import run_pass


class Steps:
    """Fresh towers, and the steps of an epoch.

    Args:
        data: What they learn from, as they read it.
        towers: They.
        train: How they are trained.
        progress: Told after every step.

    Attributes:
        checkpoint: Of all that an epoch changes.
    """

    def __init__(
        self, data: TrainingData, towers: TowersConfig, train: TrainConfig, progress: Progress
    ) -> None:
        tf_keras.utils.set_random_seed(train.seed)
        log, user_block = data.log, data.user_block
        self._log, self._towers, self._train, self._progress = log, towers, train, progress
        self._sizes = {"users": len(log.users), "terms": int(data.phrase_vectors.shape[1])}
        self._sizes |= {f"context_{name}": len(values) for name, values in log.context.items()}
        if user_block is not None:
            self._sizes["user_vectors"] = user_block.dimension
        self._objective = build_objective(towers, train, log)
        self._model = self._objective.model(data.blocks, data.phrase_vectors, user_block)
        groups = self._objective.groups(0)
        optimizer = build_optimizer(train, len(groups) * train.epochs)
        self._model.compile(optimizer=optimizer)
        # One pass makes all variables, so that a checkpoint has something to restore into.
        batch = next(self._objective.load(0, [max(groups, key=len)]))
        first = {name: tf.constant(part) for name, part in batch.items()}
        self._model.compute_loss(first)
        self._some = first
        optimizer.build(self._model.trainable_variables)
        shapes = [{name: tf.TensorSpec([None] * t.ndim, t.dtype) for name, t in first.items()}]
        self._average = None
        if train.average > 0:
            self._average = MovingAverage(self._model.trainable_variables, train.average)
        self._step = compiled(self._one_step, input_signature=shapes)
        kept = {} if self._average is None else {"average": self._average}
        self.checkpoint = tf.train.Checkpoint(model=self._model, optimizer=optimizer, **kept)

    def train(self, number: int, shown: str) -> float:
        """One pass; the mean loss."""
        groups = self._objective.groups(number)
        return run_pass(
            self._objective.load(number, groups),
            self._loss_of,
            steps=len(groups),
            number=number,
            told=f"train, epoch {number}/{self._train.epochs}",
            shown=shown,
            progress=self._progress,
            lower="train.learning_rate",
        )

    def freeze(self) -> Towers:
        """The towers as they are now; of averaged weights, where they are averaged."""
        with nullcontext() if self._average is None else self._average.in_place():
            towers = freeze(self._towers, self._model, self._sizes)
            queries = self._model.queries(self._some).numpy()
        refuse_collapsed(towers.item_vectors[self._log.warm], queries)
        return towers

    def _loss_of(self, batch: Batch) -> float:
        tensors = {name: tf.constant(part) for name, part in batch.items()}
        return float(self._step(tensors)["loss"])

    def _one_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        figures: dict[str, Any] = self._model.train_step(batch)
        if self._average is not None:
            self._average.update()
        return figures
