"""Training: epochs over a log, a checkpoint after each, the best on validation kept.

A run lives in a folder. Started again in the same folder it goes on after its last whole epoch, and
a finished run answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from recsys._tf import tf, tf_keras
from recsys.errors import ConfigError, DataError
from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.towers.averaging import MovingAverage
from recsys.towers.batches import Batch
from recsys.towers.collapse import refuse_collapsed
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.distillation.student import distil
from recsys.towers.epochs import Epoch, EpochRun, best_of, write_epochs
from recsys.towers.history_configs import NoHistory, check_history
from recsys.towers.joined import AnyTowers, JoinedTowers
from recsys.towers.members import join, of_member, pairs_of
from recsys.towers.mining import BuildSearch, Miner
from recsys.towers.objectives import build_objective
from recsys.towers.optimizer import build_optimizer
from recsys.towers.passes import run_pass
from recsys.towers.towers import Towers, freeze, load_pair

STUDENT = "student"


@dataclass(frozen=True, eq=False)
class Fitted:
    """The best towers of a run, and how it went.

    Attributes:
        towers: They.
        epochs: One after another; those of several members, and of a student after them, are
            numbered through.
        best_epoch: The epoch with the best validation figure; the last where nothing validated.
        best_epochs: The same of each member and of the student, as they count their epochs.
        validation: The validation figure of ``towers``, if any.
    """

    towers: AnyTowers
    epochs: tuple[Epoch, ...]
    best_epoch: int
    best_epochs: tuple[int, ...]
    validation: float | None


def fit(
    log: Interactions,
    blocks: Sequence[FeatureBlock],
    phrase_vectors: Vectors,
    *,
    towers: TowersConfig,
    train: TrainConfig,
    folder: Path,
    validate: Callable[[AnyTowers], float] | None,
    stop_after: Sequence[int] | None = None,
    user_block: FeatureBlock | None = None,
    search: BuildSearch | None = None,
    progress: Progress = silent,
) -> Fitted:
    """Train two towers on ``log`` and return those that were best on validation.

    Under ``train.distillation`` they teach what is returned. Where nothing validates, the last
    epoch's are.

    Args:
        log: Training interactions.
        blocks: Feature blocks over ``log.items``; ``towers.blocks`` may choose among them.
        phrase_vectors: Encoded ``log.phrases``, float32 ``[phrases, t]``, zeros for none.
        towers: What the towers read.
        train: How they are trained.
        folder: Where checkpoints, ``epochs.json``, ``best-EPOCH/`` and ``tensorboard/`` go; those
            of several members, and of a student, in a folder each.
        validate: The figure to maximise, of towers as they are after an epoch; None where the
            last epoch is known and nothing is left to choose.
        stop_after: Each member's last epoch, and the student's, where training is to end before
            ``train.epochs``; the learning rate falls as if it went on.
        user_block: Vectors of ``log.users`` that were learned elsewhere; read where
            ``towers.user_vectors`` says so.
        search: Makes an index of item vectors; asked where ``train.loss.hard`` is set.
        progress: Told after every step.

    Raises:
        ConfigError: ``stop_after`` names no epochs, a named block or context column is not there,
            or sizes do not divide or fit, or hard negatives are wanted and no ``search`` came, or
            histories are to be reordered and their times read.
        DataError: There is nothing to train on.
        TrainingError: The loss or the validation figure is no longer finite, or the towers say the
            same of all items or of all queries.
    """
    last = _last_epochs(train, stop_after)
    pair = partial(
        _fit_pair,
        log,
        blocks,
        phrase_vectors,
        validate=validate,
        user_block=user_block,
        search=search,
        progress=progress,
    )
    if not train.members and train.distillation is None:
        return pair(towers=towers, train=train, folder=folder, last=last[0])
    fitted = [
        pair(**of_member(towers, train, at), folder=folder / f"member-{at}", last=last[at - 1])
        for at in range(1, pairs_of(train) + 1)
    ]
    if train.distillation is None:
        joined = _joined(fitted, train, log, validate)
    else:
        teach = partial(distil, log=log, towers=towers, train=train, progress=progress)
        joined = _distilled(
            fitted, partial(teach, folder=folder / STUDENT, last=last[-1], validate=validate)
        )
    write_epochs(folder, joined.epochs)
    return joined


def _fit_pair(
    log: Interactions,
    blocks: Sequence[FeatureBlock],
    phrase_vectors: Vectors,
    *,
    towers: TowersConfig,
    train: TrainConfig,
    folder: Path,
    last: int,
    validate: Callable[[AnyTowers], float] | None,
    user_block: FeatureBlock | None,
    search: BuildSearch | None,
    progress: Progress,
) -> Fitted:
    """One pair of towers; see :func:`fit`."""
    blocks = _chosen(blocks, towers)
    user_block = None if towers.user_vectors == "none" else user_block
    _check(log, towers, user_block)
    _check_identity(towers, sum(block.dimension for block in blocks), phrase_vectors.shape[1])
    _check_search(train, search)
    _check_order(towers, train)
    steps = _Steps(log, blocks, phrase_vectors, towers, train, user_block, progress, search)
    run = EpochRun(
        folder,
        steps.checkpoint,
        epochs=last,
        patience=train.patience,
        validate_every=train.validate_every,
    )
    while not run.finished:
        run.epoch(steps.train, freeze=steps.freeze, judge=validate)
    best = run.best
    return Fitted(
        load_pair(run.best_folder), tuple(run.epochs), best.number, (best.number,), best.validation
    )


def _joined(
    fitted: Sequence[Fitted],
    train: TrainConfig,
    log: Interactions,
    validate: Callable[[AnyTowers], float] | None,
) -> Fitted:
    towers = join(_pairs(fitted), train, log)
    epochs = _numbered([epoch for each in fitted for epoch in each.epochs])
    return Fitted(
        towers,
        epochs,
        best_of(epochs).number,
        tuple(epoch for each in fitted for epoch in each.best_epochs),
        None if validate is None else float(validate(towers)),
    )


def _distilled(
    fitted: Sequence[Fitted],
    teach: Callable[[JoinedTowers], tuple[Towers, tuple[Epoch, ...], Epoch]],
) -> Fitted:
    student, own, best = teach(JoinedTowers(tuple(_pairs(fitted))))
    before = [epoch for each in fitted for epoch in each.epochs]
    chosen = [epoch for each in fitted for epoch in each.best_epochs]
    return Fitted(
        student,
        _numbered([*before, *own]),
        len(before) + best.number,
        (*chosen, best.number),
        best.validation,
    )


def _pairs(fitted: Sequence[Fitted]) -> list[Towers]:
    return [each.towers for each in fitted if isinstance(each.towers, Towers)]


def _numbered(epochs: Sequence[Epoch]) -> tuple[Epoch, ...]:
    """Numbered through."""
    return tuple(replace(epoch, number=at) for at, epoch in enumerate(epochs, start=1))


class _Steps:
    """The steps of an epoch."""

    def __init__(
        self,
        log: Interactions,
        blocks: Sequence[FeatureBlock],
        phrase_vectors: Vectors,
        towers: TowersConfig,
        train: TrainConfig,
        user_block: FeatureBlock | None,
        progress: Progress,
        search: BuildSearch | None,
    ) -> None:
        tf_keras.utils.set_random_seed(train.seed)
        self._log, self._towers, self._train, self._progress = log, towers, train, progress
        self._sizes = {"users": len(log.users), "terms": int(phrase_vectors.shape[1])}
        self._sizes |= {f"context_{name}": len(values) for name, values in log.context.items()}
        if user_block is not None:
            self._sizes["user_vectors"] = user_block.dimension
        self._objective = build_objective(towers, train, log)
        self._model = self._objective.model(blocks, phrase_vectors, user_block)
        groups = self._objective.groups(0)
        optimizer = build_optimizer(train, len(groups) * train.epochs)
        self._model.compile(optimizer=optimizer)
        # One pass makes all variables, so that a checkpoint has something to restore into.
        batch = next(self._objective.load(0, [max(groups, key=len)]))
        first = {name: tf.constant(part) for name, part in batch.items()}
        self._model.compute_loss(first)
        self._some, self._miner = first, None
        hard = getattr(train.loss, "hard", None)
        if hard is not None and search is not None:
            self._miner = Miner(hard, search, self._model, log.warm, first)
        first = self._with_mined(first)
        optimizer.build(self._model.trainable_variables)
        shapes = [{name: tf.TensorSpec([None] * t.ndim, t.dtype) for name, t in first.items()}]
        self._average = None
        if train.average > 0:
            self._average = MovingAverage(self._model.trainable_variables, train.average)
        self._step = tf.function(self._one_step, input_signature=shapes)
        kept = {} if self._average is None else {"average": self._average}
        self.checkpoint = tf.train.Checkpoint(model=self._model, optimizer=optimizer, **kept)

    def train(self, number: int, shown: str) -> float:
        """One pass; the mean loss."""
        groups = self._objective.groups(number)
        if self._miner is not None:
            self._miner.begin(number)
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
        return float(self._step(self._with_mined(tensors))["loss"])

    def _with_mined(self, batch: dict[str, Any]) -> dict[str, Any]:
        if self._miner is None:
            return batch
        return {**batch, "mined": tf.constant(self._miner.rows(batch))}

    def _one_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        figures: dict[str, Any] = self._model.train_step(batch)
        if self._average is not None:
            self._average.update()
        return figures


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
    check_history(config.history, dimension=config.dimension, log=log)


def _check_search(train: TrainConfig, search: BuildSearch | None) -> None:
    if getattr(train.loss, "hard", None) is not None and search is None:
        raise ConfigError(
            "train.loss.hard looks for negatives in an index of the items, and fit() got none:"
            " pass search=..., or leave train.loss.hard out",
            field="train.loss.hard",
        )


def _check_order(config: TowersConfig, train: TrainConfig) -> None:
    if train.augmentation.reorder > 0 and config.history.reads_times:
        raise ConfigError(
            "train.augmentation.reorder puts items where they were not met, and"
            " towers.history.time_bias reads when they were: leave one of the two out",
            field="train.augmentation.reorder",
        )


def _last_epochs(train: TrainConfig, stop_after: Sequence[int] | None) -> Sequence[int]:
    """The last epoch of each pair, and of the student where there is one."""
    most = [train.epochs] * pairs_of(train)
    if train.distillation is not None:
        most.append(train.distillation.epochs)
    if stop_after is None:
        return most
    if len(stop_after) != len(most) or not all(1 <= at <= top for at, top in zip(stop_after, most)):
        raise ConfigError(
            "stop_after must name an epoch for each of train.members, and one more for the student"
            f" of train.distillation, of at most {most} here; it is {list(stop_after)}",
            field="train.epochs",
        )
    return stop_after


def _check_identity(config: TowersConfig, blocks: int, terms: int) -> None:
    needed = max(blocks, terms)
    if config.initial == "identity" and config.dimension < needed:
        raise ConfigError(
            f"towers.initial 'identity' keeps {blocks} dimensions of blocks and {terms} of terms;"
            f" towers.dimension is {config.dimension}: raise it to {needed}, or take 'random'",
            field="towers.dimension",
        )
