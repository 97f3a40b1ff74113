"""Training in epochs that resumes after the last complete one."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from recsys._tf import tf
from recsys.config import Config
from recsys.errors import EncoderError
from recsys.progress import Progress


def training_key(config: Config, data: Iterable[bytes | memoryview]) -> str:
    """Hash of everything that a training depends on."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    for part in data:
        digest.update(part)
    return digest.hexdigest()


def train_epochs(
    run_epoch: Callable[[int], float],
    epochs: int,
    *,
    name: str,
    key: str,
    weights: Sequence[Any],
    optimizer: Any,
    checkpoints: Path | None,
    progress: Progress,
    note: Callable[[float], str],
) -> None:
    """Run the epochs that are not done yet, with a checkpoint after each.

    A checkpoint of the same training restores weights, optimizer and epoch; those of other
    trainings of the encoder ``name`` are removed. A damaged checkpoint means starting over.
    ``run_epoch`` trains epoch n, from 0, and returns its mean loss; ``key`` is a hash from
    :func:`training_key`; ``optimizer`` is built for ``weights`` and was not used before.
    """
    epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
    manager = None
    if checkpoints is not None:
        manager = _restored(checkpoints, f"{name}-{key[:16]}", weights, optimizer, epoch)
    while (done := int(epoch.numpy())) < epochs:
        loss = run_epoch(done)
        if not math.isfinite(loss):
            raise EncoderError(
                f"the loss of '{name}' became {loss} in epoch {done + 1}: lower 'learning_rate'"
            )
        epoch.assign_add(1)
        if manager is not None:
            manager.save(checkpoint_number=done + 1)
        progress(f"train {name}", done + 1, epochs, note(loss))


def _restored(
    checkpoints: Path, name: str, weights: Sequence[Any], optimizer: Any, epoch: Any
) -> Any:
    """A ``tf.train.CheckpointManager``, restored to its latest checkpoint."""
    for other in checkpoints.glob(f"{name.rpartition('-')[0]}-*"):
        if other.name != name and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)
    checkpoint = tf.train.Checkpoint(weights=list(weights), optimizer=optimizer, epoch=epoch)
    manager = tf.train.CheckpointManager(checkpoint, str(checkpoints / name), max_to_keep=1)
    if manager.latest_checkpoint:
        initial = [weight.numpy() for weight in weights]
        try:
            checkpoint.restore(manager.latest_checkpoint).assert_consumed()
        except (tf.errors.OpError, ValueError, AssertionError, IndexError, KeyError):
            for weight, value in zip(weights, initial):
                weight.assign(value)
            for slot in optimizer.variables:
                slot.assign(tf.zeros_like(slot))
            epoch.assign(0)
    return manager
