"""The passes of one model over its batches."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from recsys._tf import compiled, tf
from recsys.errors import TrainingError
from recsys.progress import Progress
from recsys.towers.training.batches import Batch


class TrainingLoop(ABC):
    """Training of one model: compiled steps, a moving average of its weights, a checkpoint.

    Args:
        model: A ``tfrs.Model`` whose loss reads a batch.
        optimizer: Optimizer of its variables.
        example: Any batch; all have its names, ranks and dtypes.
        epochs: Number of epochs, for progress.
        average: Share of the moving average that a step keeps (Polyak & Juditsky 1992), or
            (1 + steps) / (10 + steps) while that is lower; 0 averages nothing.
        progress: Called after every step.

    Attributes:
        checkpoint: ``tf.train.Checkpoint`` of all state that an epoch changes.
    """

    task: ClassVar[str] = "train"
    section: ClassVar[str] = "train"

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        example: Batch,
        *,
        epochs: int,
        average: float = 0.0,
        progress: Progress,
    ) -> None:
        self._model, self._epochs, self._progress = model, epochs, progress
        model.compile(optimizer=optimizer)
        # One pass creates all variables, so that a checkpoint has something to restore into.
        model.compute_loss(tensors(example))
        self._weights = model.trainable_variables
        optimizer.build(self._weights)
        tracked, self._average = {"model": model, "optimizer": optimizer}, None
        if average > 0:
            self._average = tf.train.ExponentialMovingAverage(average, optimizer.iterations)
            self._average.apply(self._weights)
            tracked["averages"] = [self._average.average(weight) for weight in self._weights]
        self.checkpoint = tf.train.Checkpoint(**tracked)
        specs = {name: tf.TensorSpec([None] * t.ndim, t.dtype) for name, t in example.items()}
        self._step = compiled(self._one_step, input_signature=[specs])

    @abstractmethod
    def batches(self, epoch: int) -> tuple[int, Iterable[Batch]]:
        """Number of steps in an epoch, and their batches."""

    def train(self, epoch: int, note: str) -> float:
        """Train one epoch and return its mean loss; ``note`` is appended to its progress.

        Raises:
            TrainingError: A loss is not finite.
        """
        steps, batches = self.batches(epoch)
        losses: list[float] = []
        for step, batch in enumerate(batches, start=1):
            losses.append(float(self._step(tensors(batch))["loss"]))
            if not math.isfinite(losses[-1]):
                setting = f"{self.section}.learning_rate"
                raise TrainingError(
                    f"the loss became {losses[-1]} in epoch {epoch}, step {step}: lower {setting}"
                    " or train.clip_norm",
                    field=setting,
                )
            description = f"{self.task}, epoch {epoch}/{self._epochs}"
            self._progress(description, step, steps, f"loss {np.mean(losses):.3f}{note}")
        return float(np.mean(losses))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Replace the weights by their averages, if any, during the block."""
        if self._average is None:
            yield
            return
        trained = [weight.numpy() for weight in self._weights]
        for weight in self._weights:
            weight.assign(self._average.average(weight))
        try:
            yield
        finally:
            for weight, value in zip(self._weights, trained):
                weight.assign(value)

    def _one_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        metrics: dict[str, Any] = self._model.train_step(batch)
        if self._average is not None:
            self._average.apply(self._weights)
        return metrics


def tensors(batch: Batch) -> dict[str, Any]:
    """The arrays of a batch as tensors."""
    return {name: tf.constant(array) for name, array in batch.items()}
