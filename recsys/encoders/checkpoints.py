"""Keeps a training after each epoch, so that one that was killed goes on where it was."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recsys._tf import tf


def own_place(folder: Path, name: str, training: str) -> Path:
    """Where a training of the encoder ``name`` keeps its state; what another one left is removed.

    ``training`` is a hash of all that the training depends on: another one has another place.
    """
    place = folder / f"{name}-{training[:16]}"
    for other in folder.glob(f"{name}-*"):
        if other != place and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)
    return place


def keeper(
    folder: Path | None,
    name: str,
    training: str,
    *,
    weights: Sequence[Any],
    optimizer: Any,
    epoch: Any,
) -> Any:
    """A ``tf.train.CheckpointManager`` in ``folder``, or None without one.

    What lies there of the same training is taken up: weights, optimizer and epoch then stand as
    they were kept. What another training of the encoder ``name`` left is removed. A damaged
    checkpoint means starting over, with the values that the variables had.

    Args:
        folder: Where trainings are kept.
        name: Of the encoder.
        training: A hash of all that the training depends on: config and contents.
        weights: All variables that are trained.
        optimizer: Built for ``weights``, and not yet used.
        epoch: int64 variable, whole epochs so far.
    """
    if folder is None:
        return None
    place = own_place(folder, name, training)
    checkpoint = tf.train.Checkpoint(weights=list(weights), optimizer=optimizer, epoch=epoch)
    kept = tf.train.CheckpointManager(checkpoint, str(place), max_to_keep=1)
    if kept.latest_checkpoint:
        fresh = [weight.numpy() for weight in weights]
        try:
            checkpoint.restore(kept.latest_checkpoint).assert_consumed()
        except (tf.errors.OpError, ValueError, AssertionError, IndexError, KeyError):
            for weight, value in zip(weights, fresh):
                weight.assign(value)
            for slot in optimizer.variables:
                slot.assign(tf.zeros_like(slot))
            epoch.assign(0)
    return kept
