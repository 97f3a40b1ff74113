"""Training: epochs over a log, a checkpoint after each, the best on validation kept.

A run lives in a folder. Started again in the same folder it goes on after its last whole epoch, and
a finished run answers at once.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.errors import ConfigError, DataError, TrainingError
from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.towers.batches import load_batches, training_batches
from recsys.towers.config import NoHistory, TowersConfig, TrainConfig, TransformerHistory
from recsys.towers.model import TwoTowerModel
from recsys.towers.towers import Towers, freeze, load_towers


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to: mean training loss, validation figure (or None), seconds."""

    number: int
    loss: float
    validation: float | None
    seconds: float


@dataclass(frozen=True, eq=False)
class Fitted:
    """The best towers of a run, and how it went."""

    towers: Towers
    epochs: tuple[Epoch, ...]
    best_epoch: int


def fit(
    log: Interactions,
    blocks: Sequence[FeatureBlock],
    phrase_vectors: Vectors,
    *,
    towers: TowersConfig,
    train: TrainConfig,
    folder: Path,
    validate: Callable[[Towers], float],
    user_block: FeatureBlock | None = None,
    progress: Progress = silent,
) -> Fitted:
    """Train two towers on ``log`` and return those that were best on validation.

    Args:
        log: Training interactions.
        blocks: Feature blocks over ``log.items``; ``towers.blocks`` may choose among them.
        phrase_vectors: Encoded ``log.phrases``, float32 ``[phrases, t]``, zeros for none.
        towers: What the towers read.
        train: How they are trained.
        folder: Where checkpoints, ``epochs.json``, ``best-EPOCH/`` and ``tensorboard/`` go.
        validate: The figure to maximise, of towers as they are after an epoch.
        user_block: Vectors of ``log.users`` that were learned elsewhere; read where
            ``towers.user_vectors`` says so.
        progress: Told after every step.

    Raises:
        ConfigError: A named block or context column is not there, or sizes do not divide or fit.
        DataError: There is nothing to train on.
        TrainingError: The loss or the validation figure is no longer finite.
    """
    blocks = _chosen(blocks, towers)
    user_block = None if towers.user_vectors == "none" else user_block
    _check(log, towers, user_block)
    _check_identity(towers, sum(block.dimension for block in blocks), phrase_vectors.shape[1])
    run = _Run(log, blocks, phrase_vectors, towers, train, folder, user_block)
    while not run.finished:
        run.train_epoch(validate, progress)
    best = run.best.number
    return Fitted(load_towers(folder / f"best-{best}"), tuple(run.epochs), best)


class _Run:
    """One run in its folder; :attr:`epochs` says how far it is."""

    def __init__(
        self,
        log: Interactions,
        blocks: Sequence[FeatureBlock],
        phrase_vectors: Vectors,
        towers: TowersConfig,
        train: TrainConfig,
        folder: Path,
        user_block: FeatureBlock | None,
    ) -> None:
        tf_keras.utils.set_random_seed(train.seed)
        self._log, self._towers, self._train, self._folder = log, towers, train, folder
        self._sizes = {"users": len(log.users), "terms": int(phrase_vectors.shape[1])}
        self._sizes |= {f"context_{name}": len(values) for name, values in log.context.items()}
        if user_block is not None:
            self._sizes["user_vectors"] = user_block.dimension
        self._model = TwoTowerModel(towers, train, log, blocks, phrase_vectors, user_block)
        groups = self._groups(0)
        self._rate = _Rate(train, len(groups) * train.epochs)
        self._optimizer = tf_keras.optimizers.Adam(self._rate, global_clipnorm=train.clip_norm)
        self._model.compile(optimizer=self._optimizer)
        # One pass makes all variables, so that a checkpoint has something to restore into.
        first = {name: tf.constant(part) for name, part in next(load_batches(log, groups)).items()}
        self._model.compute_loss(first)
        self._optimizer.build(self._model.trainable_variables)
        shapes = [{name: tf.TensorSpec([None] * t.ndim, t.dtype) for name, t in first.items()}]
        self._step = tf.function(self._model.train_step, input_signature=shapes)
        checkpoint = tf.train.Checkpoint(model=self._model, optimizer=self._optimizer)
        self._checkpoints = tf.train.CheckpointManager(
            checkpoint, str(folder / "checkpoints"), max_to_keep=2, checkpoint_name="epoch"
        )
        self.epochs: list[Epoch] = self._resume(checkpoint)

    @property
    def best(self) -> Epoch:
        """The epoch with the highest validation figure, the earliest of equals."""
        return max(
            (epoch for epoch in self.epochs if epoch.validation is not None),
            key=lambda epoch: (epoch.validation, -epoch.number),
        )

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or validation has not improved for long enough."""
        if not self.epochs:
            return False
        last = self.epochs[-1].number
        if last >= self._train.epochs:
            return True
        validated = any(epoch.validation is not None for epoch in self.epochs)
        return validated and last - self.best.number >= self._train.patience

    def train_epoch(self, validate: Callable[[Towers], float], progress: Progress) -> None:
        """One epoch, its validation, its record and its checkpoint, in this order."""
        number, began = len(self.epochs) + 1, time.monotonic()
        loss = self._pass(number, progress)
        record = Epoch(number, loss, None, 0.0)
        if number % self._train.validate_every == 0 or number == self._train.epochs:
            record = replace(record, validation=self._validate(number, validate))
        self.epochs.append(replace(record, seconds=round(time.monotonic() - began, 3)))
        self._write_summary(self.epochs[-1])
        _write_json(self._folder / "epochs.json", [asdict(epoch) for epoch in self.epochs])
        self._checkpoints.save(checkpoint_number=number)
        for folder in self._folder.glob("best-*"):
            if folder.name != f"best-{self.best.number}":
                shutil.rmtree(folder)

    def _pass(self, number: int, progress: Progress) -> float:
        groups = self._groups(number)
        losses = []
        shown = self._shown()
        for at, batch in enumerate(load_batches(self._log, groups)):
            tensors = {name: tf.constant(part) for name, part in batch.items()}
            losses.append(float(self._step(tensors)["loss"]))
            if not math.isfinite(losses[-1]):
                raise TrainingError(
                    f"the loss became {losses[-1]} in epoch {number}, step {at + 1}: lower"
                    " train.learning_rate or train.clip_norm, or raise train.loss.temperature",
                    field="train.learning_rate",
                )
            what = f"train, epoch {number}/{self._train.epochs}"
            progress(what, at + 1, len(groups), f"loss {np.mean(losses):.3f}{shown}")
        return float(np.mean(losses))

    def _validate(self, number: int, validate: Callable[[Towers], float]) -> float:
        towers = freeze(self._towers, self._model, len(self._log.items), self._sizes)
        figure = float(validate(towers))
        if not math.isfinite(figure):
            raise TrainingError(
                f"the validation figure of epoch {number} is {figure}: are there validation"
                " queries, and is the learning rate too high?"
            )
        earlier = [epoch.validation for epoch in self.epochs if epoch.validation is not None]
        if not earlier or figure > max(earlier):
            _save_best(towers, self._folder / f"best-{number}")
        return figure

    def _groups(self, epoch: int) -> list[Any]:
        return training_batches(
            self._log,
            window=self._towers.history.window,
            positions=self._train.batch_positions,
            seed=self._train.seed,
            epoch=epoch,
        )

    def _resume(self, checkpoint: Any) -> list[Epoch]:
        latest = self._checkpoints.latest_checkpoint
        if latest is None:
            return []
        checkpoint.restore(latest).assert_existing_objects_matched()
        done = int(latest.rsplit("-", 1)[1])
        records = json.loads((self._folder / "epochs.json").read_text(encoding="utf-8"))
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


class _Rate(tf_keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Linear warm-up, then constant or half a cosine down to a hundredth."""

    def __init__(self, train: TrainConfig, steps: int) -> None:
        self._train = train
        self._steps = max(steps, train.warmup_steps + 1)

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, tf.float32)
        rate = tf.minimum(1.0, (step + 1) / max(self._train.warmup_steps, 1))
        if self._train.decay == "cosine":
            over = self._steps - self._train.warmup_steps
            share = tf.clip_by_value((step - self._train.warmup_steps) / over, 0.0, 1.0)
            rate *= 0.01 + 0.99 * 0.5 * (1 + tf.cos(math.pi * share))
        return self._train.learning_rate * rate

    def get_config(self) -> dict[str, Any]:
        return {"train": self._train.model_dump(mode="json"), "steps": self._steps}


def _chosen(blocks: Sequence[FeatureBlock], config: TowersConfig) -> list[FeatureBlock]:
    if config.blocks is None:
        return list(blocks)
    known = {block.name: block for block in blocks}
    for name in config.blocks:
        if name not in known:
            have = ", ".join(known) or "none"
            raise ConfigError(
                f"towers.blocks names '{name}', which is no feature block here; there are: {have}",
                field="towers.blocks",
            )
    return [known[name] for name in config.blocks]


def _check(log: Interactions, config: TowersConfig, user_block: FeatureBlock | None) -> None:
    if len(log) < 2:
        raise DataError(f"training needs at least 2 interactions; the training part has {len(log)}")
    for name in config.context:
        if name not in log.context:
            have = ", ".join(log.context) or "none"
            raise ConfigError(
                f"towers.context names '{name}', which is no context column; there are: {have}",
                field="towers.context",
            )
    if user_block is not None and len(user_block) != len(log.users):
        raise DataError(
            f"the block of users has {len(user_block)} rows, the log {len(log.users)} users;"
            " expected one row a user"
        )
    others = {config.user_id, config.terms} != {"none"} or config.context or user_block is not None
    if isinstance(config.history, NoHistory) and not others:
        raise ConfigError(
            "with towers.history 'none' the query tower must read something else, and every query"
            " would be the same: set towers.user_id = 'embedding', give vectors of users, search"
            " terms and an encoder of words, or name towers.context",
            field="towers.history.name",
        )
    heads = config.history.heads if isinstance(config.history, TransformerHistory) else 1
    if config.dimension % heads:
        raise ConfigError(
            f"towers.dimension {config.dimension} must be a multiple of"
            f" towers.history.heads {heads}",
            field="towers.history.heads",
        )


def _check_identity(config: TowersConfig, blocks: int, terms: int) -> None:
    needed = max(blocks, terms)
    if config.initial == "identity" and config.dimension < needed:
        raise ConfigError(
            f"towers.initial 'identity' keeps {blocks} dimensions of blocks and {terms} of terms;"
            f" towers.dimension is {config.dimension}: raise it to {needed}, or take 'random'",
            field="towers.dimension",
        )


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, path)


def _save_best(towers: Towers, folder: Path) -> None:
    """Write a folder that is there whole or not at all."""
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    towers.save(draft)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(draft, folder)
