"""The epochs of a training: validation, record, checkpoint and choice of the best.

Started again in the same folder, a run continues after its last complete epoch; a finished run has
nothing left to do.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from recsys._tf import tf
from recsys.errors import TrainingError
from recsys.files import atomic_folder, read_json, write_json


@dataclass(frozen=True)
class Epoch:
    """Record of one epoch: mean training loss, validation figure (or None), seconds."""

    number: int
    loss: float
    validation: float | None
    seconds: float


class Saveable(Protocol):
    """A model that saves itself into a folder."""

    def save(self, folder: Path) -> None:
        """Write the model."""


Model = TypeVar("Model", bound=Saveable)
Model_co = TypeVar("Model_co", bound=Saveable, covariant=True)


class Training(Protocol[Model_co]):
    """A training, one epoch at a time."""

    checkpoint: Any

    def train(self, epoch: int, note: str) -> float:
        """Train one epoch and return its mean loss; ``note`` is appended to its progress."""

    def freeze(self) -> Model_co:
        """A copy of the model in its current state."""


def best_of(epochs: Sequence[Epoch]) -> Epoch:
    """The epoch with the highest validation figure, the earliest of equals; else the last."""
    return max(
        (epoch for epoch in epochs if epoch.validation is not None),
        key=lambda epoch: (epoch.validation, -epoch.number),
        default=epochs[-1],
    )


class EpochRun(Generic[Model]):
    """A training in its folder, until the last epoch or until validation stops improving.

    Args:
        folder: Folder of checkpoints, ``epochs.json``, ``best-EPOCH/`` and ``tensorboard/``.
        training: The training.
        validate: Figure to maximise; None keeps the model of the last epoch.
        epochs: Maximum number of epochs.
        patience: Number of epochs without a better figure before the run stops.
        validate_every: Number of epochs between two validations; the last epoch has one.
    """

    def __init__(
        self,
        folder: Path,
        training: Training[Model],
        validate: Callable[[Model], float] | None,
        *,
        epochs: int,
        patience: int,
        validate_every: int,
    ) -> None:
        self._folder, self._training, self._validate = folder, training, validate
        self._last, self._patience, self._validate_every = epochs, patience, validate_every
        self._checkpoints = tf.train.CheckpointManager(
            training.checkpoint, str(folder / "checkpoints"), max_to_keep=2, checkpoint_name="epoch"
        )
        self.epochs = self._resume()

    @property
    def best(self) -> Epoch:
        """The best epoch so far."""
        return best_of(self.epochs)

    @property
    def best_folder(self) -> Path:
        """Folder of the model after the best epoch."""
        return self._folder / f"best-{self.best.number}"

    @property
    def finished(self) -> bool:
        """Whether no epoch is left."""
        if not self.epochs:
            return False
        done = self.epochs[-1].number
        return done >= self._last or (self._validated and done - self.best.number >= self._patience)

    @property
    def _validated(self) -> bool:
        return any(epoch.validation is not None for epoch in self.epochs)

    def run(self) -> None:
        """Train the remaining epochs.

        Raises:
            TrainingError: The loss or the validation figure is not finite.
        """
        while not self.finished:
            self._epoch(len(self.epochs) + 1)

    def _epoch(self, number: int) -> None:
        began = time.monotonic()
        note = f", best validation {self.best.validation:.4f}" if self._validated else ""
        loss, validation = self._training.train(number, note), None
        if self._validate is None:
            if number == self._last:
                self._save(number, self._training.freeze())
        elif number % self._validate_every == 0 or number == self._last:
            validation = self._validation(number, self._validate)
        epoch = Epoch(number, loss, validation, round(time.monotonic() - began, 3))
        self.epochs.append(epoch)
        self._write_summary(epoch)
        write_epochs(self._folder, self.epochs)
        self._checkpoints.save(checkpoint_number=number)
        for folder in self._folder.glob("best-*"):
            if folder != self.best_folder:
                shutil.rmtree(folder)

    def _validation(self, number: int, validate: Callable[[Model], float]) -> float:
        model = self._training.freeze()
        figure = float(validate(model))
        if not math.isfinite(figure):
            raise TrainingError(
                f"the validation figure of epoch {number} is {figure}: are there validation"
                " queries, and is the learning rate too high?"
            )
        earlier = [epoch.validation for epoch in self.epochs if epoch.validation is not None]
        if not earlier or figure > max(earlier):
            self._save(number, model)
        return figure

    def _save(self, number: int, model: Model) -> None:
        with atomic_folder(self._folder / f"best-{number}") as part:
            model.save(part)

    def _resume(self) -> list[Epoch]:
        latest = self._checkpoints.latest_checkpoint
        if latest is None:
            return []
        self._training.checkpoint.restore(latest).assert_existing_objects_matched()
        done = int(latest.rsplit("-", 1)[1])
        return [Epoch(**record) for record in read_json(self._folder / "epochs.json")[:done]]

    def _write_summary(self, epoch: Epoch) -> None:
        writer = tf.summary.create_file_writer(str(self._folder / "tensorboard"))
        with writer.as_default(step=epoch.number):
            for name in ("loss", "seconds", "validation"):
                if getattr(epoch, name) is not None:
                    tf.summary.scalar(name, getattr(epoch, name))
        writer.close()


def write_epochs(folder: Path, epochs: Sequence[Epoch]) -> None:
    """Write ``epochs.json``."""
    write_json(folder / "epochs.json", [asdict(epoch) for epoch in epochs])
