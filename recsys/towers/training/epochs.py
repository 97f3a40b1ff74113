"""A training in its folder: an epoch, its validation, its record, its checkpoint, in this order.

What an epoch computes is the caller's. Started again in the same folder, a run goes on after its
last whole epoch; a finished one has nothing left to do.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from recsys._tf import tf
from recsys.errors import TrainingError
from recsys.files import atomic_folder, read_json, write_json


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to: mean training loss, validation figure (or None), seconds."""

    number: int
    loss: float
    validation: float | None
    seconds: float


def best_of(epochs: Sequence[Epoch]) -> Epoch:
    """The epoch with the highest validation figure, the earliest of equals; else the last."""
    return max(
        (epoch for epoch in epochs if epoch.validation is not None),
        key=lambda epoch: (epoch.validation, -epoch.number),
        default=epochs[-1],
    )


class Frozen(Protocol):
    """What was learned so far, at rest."""

    def save(self, folder: Path) -> None:
        """Write it into a folder."""


Learned = TypeVar("Learned", bound=Frozen)


class EpochRun:
    """Epochs until the last, or until validation has not improved for long enough.

    Args:
        folder: Where checkpoints, ``epochs.json``, ``best-EPOCH/`` and ``tensorboard/`` go.
        checkpoint: A ``tf.train.Checkpoint`` of all that an epoch changes.
        epochs: How many, at most.
        patience: Epochs without a better validation figure before it is finished.
        validate_every: Epochs between two validations; the last one always has one.
    """

    def __init__(
        self, folder: Path, checkpoint: Any, *, epochs: int, patience: int, validate_every: int
    ) -> None:
        self._folder, self._last = folder, epochs
        self._patience, self._validate_every = patience, validate_every
        self._checkpoints = tf.train.CheckpointManager(
            checkpoint, str(folder / "checkpoints"), max_to_keep=2, checkpoint_name="epoch"
        )
        self.epochs: list[Epoch] = self._resume(checkpoint)

    @property
    def best(self) -> Epoch:
        """The best of the epochs so far."""
        return best_of(self.epochs)

    @property
    def best_folder(self) -> Path:
        """What was saved after the best epoch."""
        return self._folder / f"best-{self.best.number}"

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        if not self.epochs:
            return False
        done = self.epochs[-1].number
        if done >= self._last:
            return True
        validated = any(epoch.validation is not None for epoch in self.epochs)
        return validated and done - self.best.number >= self._patience

    def epoch(
        self,
        train: Callable[[int, str], float],
        *,
        freeze: Callable[[], Learned],
        judge: Callable[[Learned], float] | None,
    ) -> None:
        """One more epoch.

        Args:
            train: From the epoch's number, and what its progress should show besides, to its loss.
            freeze: What was learned, as it is now; asked for where the epoch is validated.
            judge: From that to the validation figure; None, and what the last epoch learned is
                kept.

        Raises:
            TrainingError: The validation figure is not finite.
        """
        number, began = len(self.epochs) + 1, time.monotonic()
        record = Epoch(number, train(number, self._shown()), None, 0.0)
        if judge is None:
            if number == self._last:
                _write_folder(self._folder / f"best-{number}", freeze())
        elif number % self._validate_every == 0 or number == self._last:
            record = replace(record, validation=self._validated(number, freeze(), judge))
        self.epochs.append(replace(record, seconds=round(time.monotonic() - began, 3)))
        self._write_summary(self.epochs[-1])
        write_epochs(self._folder, self.epochs)
        self._checkpoints.save(checkpoint_number=number)
        for folder in self._folder.glob("best-*"):
            if folder.name != f"best-{self.best.number}":
                shutil.rmtree(folder)

    def _validated(self, number: int, learned: Learned, judge: Callable[[Learned], float]) -> float:
        figure = float(judge(learned))
        if not math.isfinite(figure):
            raise TrainingError(
                f"the validation figure of epoch {number} is {figure}: are there validation"
                " queries, and is the learning rate too high?"
            )
        earlier = [epoch.validation for epoch in self.epochs if epoch.validation is not None]
        if not earlier or figure > max(earlier):
            _write_folder(self._folder / f"best-{number}", learned)
        return figure

    def _resume(self, checkpoint: Any) -> list[Epoch]:
        latest = self._checkpoints.latest_checkpoint
        if latest is None:
            return []
        checkpoint.restore(latest).assert_existing_objects_matched()
        done = int(latest.rsplit("-", 1)[1])
        records = read_json(self._folder / "epochs.json")
        return [Epoch(**record) for record in records[:done]]

    def _shown(self) -> str:
        validated = any(epoch.validation is not None for epoch in self.epochs)
        return f", best validation {self.best.validation:.4f}" if validated else ""

    def _write_summary(self, epoch: Epoch) -> None:
        writer = tf.summary.create_file_writer(str(self._folder / "tensorboard"))
        with writer.as_default(step=epoch.number):
            tf.summary.scalar("loss", epoch.loss)
            tf.summary.scalar("seconds", epoch.seconds)
            if epoch.validation is not None:
                tf.summary.scalar("validation", epoch.validation)
        writer.close()


def write_epochs(folder: Path, epochs: Sequence[Epoch]) -> None:
    """Write ``epochs.json``, whole or not at all."""
    write_json(folder / "epochs.json", [asdict(epoch) for epoch in epochs])


def _write_folder(folder: Path, learned: Frozen) -> None:
    """Write a folder that is there whole or not at all."""
    with atomic_folder(folder) as part:
        learned.save(part)
