"""Training: epochs over a log, a checkpoint after each, the best on validation kept.

A run lives in a folder. Started again in the same folder it goes on after its last whole epoch, and
a finished run answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from recsys.errors import ConfigError
from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.ensemble.distillation.student import distil
from recsys.towers.ensemble.joined import AnyTowers, JoinedTowers
from recsys.towers.ensemble.members import member_config, member_count
from recsys.towers.towers import Towers, load_two_towers
from recsys.towers.training.data import TrainingData
from recsys.towers.training.epochs import Epoch, EpochRun, best_of, write_epochs
from recsys.towers.training.steps import Steps

STUDENT = "student"


@dataclass(frozen=True, eq=False)
class FitResult:
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
    progress: Progress = silent,
) -> FitResult:
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
        progress: Told after every step.

    Raises:
        ConfigError: ``stop_after`` names no epochs, a named block or context column is not there,
            or sizes do not divide or fit.
        DataError: There is nothing to train on.
        TrainingError: The loss or the validation figure is no longer finite, or the towers say the
            same of all items or of all queries.
    """
    _check_distillation(towers, train)
    last = _last_epochs(train, stop_after)
    data = TrainingData(log, blocks, phrase_vectors, user_block)
    pair = partial(_fit_pair, data, validate=validate, progress=progress)
    if not train.members and train.distillation is None:
        return pair(towers=towers, train=train, folder=folder, last=last[0])
    fitted = [
        pair(**member_config(towers, train, at), folder=folder / f"member-{at}", last=last[at - 1])
        for at in range(1, member_count(train) + 1)
    ]
    if train.distillation is None:
        joined = _joined(fitted, validate)
    else:
        teach = partial(distil, log=log, towers=towers, train=train, progress=progress)
        joined = _distilled(
            fitted, partial(teach, folder=folder / STUDENT, last=last[-1], validate=validate)
        )
    write_epochs(folder, joined.epochs)
    return joined


def _fit_pair(
    data: TrainingData,
    *,
    towers: TowersConfig,
    train: TrainConfig,
    folder: Path,
    last: int,
    validate: Callable[[AnyTowers], float] | None,
    progress: Progress,
) -> FitResult:
    """One pair of towers; see :func:`fit`."""
    steps = Steps(data.read_by(towers), towers, train, progress)
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
    return FitResult(
        load_two_towers(run.best_folder),
        tuple(run.epochs),
        best.number,
        (best.number,),
        best.validation,
    )


def _joined(
    fitted: Sequence[FitResult], validate: Callable[[AnyTowers], float] | None
) -> FitResult:
    towers = JoinedTowers.of(_pairs(fitted))
    epochs = _numbered([epoch for each in fitted for epoch in each.epochs])
    return FitResult(
        towers,
        epochs,
        best_of(epochs).number,
        tuple(epoch for each in fitted for epoch in each.best_epochs),
        None if validate is None else float(validate(towers)),
    )


def _distilled(
    fitted: Sequence[FitResult],
    teach: Callable[[JoinedTowers], tuple[Towers, tuple[Epoch, ...], Epoch]],
) -> FitResult:
    student, own, best = teach(JoinedTowers.of(_pairs(fitted)))
    before = [epoch for each in fitted for epoch in each.epochs]
    chosen = [epoch for each in fitted for epoch in each.best_epochs]
    return FitResult(
        student,
        _numbered([*before, *own]),
        len(before) + best.number,
        (*chosen, best.number),
        best.validation,
    )


def _pairs(fitted: Sequence[FitResult]) -> list[Towers]:
    return [each.towers for each in fitted if isinstance(each.towers, Towers)]


def _numbered(epochs: Sequence[Epoch]) -> tuple[Epoch, ...]:
    """Numbered through."""
    return tuple(replace(epoch, number=at) for at, epoch in enumerate(epochs, start=1))


def _check_distillation(towers: TowersConfig, train: TrainConfig) -> None:
    if train.distillation is not None and towers.user_id == "none":
        raise ConfigError(
            "train.distillation keeps a vector for each user known by id, and towers.user_id is"
            " 'none': set it to 'embedding', or leave train.distillation out where queries are"
            " histories or searches",
            field="train.distillation",
        )


def _last_epochs(train: TrainConfig, stop_after: Sequence[int] | None) -> Sequence[int]:
    """The last epoch of each pair, and of the student where there is one."""
    most = [train.epochs] * member_count(train)
    if train.distillation is not None:
        most.append(train.distillation.epochs)
    if stop_after is None:
        return most
    if len(stop_after) != len(most) or not all(1 <= at <= top for at, top in zip(stop_after, most)):
        raise ConfigError(
            "stop_after must name an epoch for each pair of train.members, and one more for the"
            f" student of train.distillation, each from 1 to at most {most}; it is"
            f" {list(stop_after)}",
            field="train.epochs",
        )
    return stop_after
