"""Training of towers, of the members of an ensemble, and of a student distilled from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recsys.errors import ConfigError
from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.ensemble.distillation.student import StudentTraining
from recsys.towers.ensemble.joined import AnyTowers, JoinedTowers
from recsys.towers.ensemble.members import member_config, member_count
from recsys.towers.towers import Towers, load_two_towers
from recsys.towers.training.data import TrainingData
from recsys.towers.training.epochs import Epoch, EpochRun, best_of, write_epochs
from recsys.towers.training.tower_training import TowerTraining

STUDENT = "student"


@dataclass(frozen=True, eq=False)
class FitResult:
    """The best towers of a training, and its epochs.

    Attributes:
        towers: The towers.
        epochs: Records of all epochs; those of several members, and of a student after them, are
            numbered consecutively.
        best_epoch: Number of the epoch with the best validation figure; the last one without
            validation.
        best_epochs: Best epoch of each member and of the student, in their own numbering.
        validation: Validation figure of ``towers``, if any.
    """

    towers: AnyTowers
    epochs: tuple[Epoch, ...]
    best_epoch: int
    best_epochs: tuple[int, ...]
    validation: float | None


def fit(
    log: Interactions,
    blocks: Sequence[FeatureBlock] = (),
    phrase_vectors: Vectors | None = None,
    *,
    towers: TowersConfig,
    train: TrainConfig,
    folder: Path,
    validate: Callable[[AnyTowers], float] | None,
    stop_after: Sequence[int] | None = None,
    user_block: FeatureBlock | None = None,
    progress: Progress = silent,
) -> FitResult:
    """Train towers on ``log`` and return the best on validation.

    Started again in the same folder, it continues after the last complete epoch.

    Args:
        log: Training interactions.
        blocks: Feature blocks over ``log.items``; ``towers.blocks`` may select among them.
        phrase_vectors: Encoded ``log.phrases``, float32 ``[phrases, t]``, zeros where there is no
            vector; None without an encoder of search terms.
        towers: Inputs and sizes of the towers.
        train: Configuration of the training.
        folder: Folder of checkpoints, ``epochs.json``, ``best-EPOCH/`` and ``tensorboard/``; the
            members of an ensemble and a student have a subfolder each.
        validate: Figure of the towers after an epoch, to maximise; None keeps the last epoch.
        stop_after: Last epoch of each member, and of the student, before ``train.epochs``; the
            learning rate decays as without it.
        user_block: Given vectors of ``log.users``, if ``towers.user_vectors`` reads them.
        progress: Called after every step.

    Raises:
        ConfigError: ``stop_after`` does not fit, a named block or context column is missing, or
            sizes do not fit.
        DataError: There is nothing to train on.
        TrainingError: The loss or the validation figure is not finite, or the vectors of all items
            or of all queries have collapsed.
    """
    _check_distillation(towers, train)
    last = _last_epochs(train, stop_after)
    if phrase_vectors is None:
        phrase_vectors = np.zeros((len(log.phrases), 0), np.float32)
    data = TrainingData(log, blocks, phrase_vectors, user_block)

    def member(towers: TowersConfig, train: TrainConfig, folder: Path, last: int) -> FitResult:
        training = TowerTraining(data.read_by(towers), towers, train, progress)
        run = EpochRun(
            folder,
            training,
            validate,
            epochs=last,
            patience=train.patience,
            validate_every=train.validate_every,
        )
        return _result(run)

    if not train.members and train.distillation is None:
        return member(towers, train, folder, last[0])
    parts = [
        member(
            **member_config(towers, train, at), folder=folder / f"member-{at}", last=last[at - 1]
        )
        for at in range(1, member_count(train) + 1)
    ]
    joined = JoinedTowers.of([part.towers for part in parts if isinstance(part.towers, Towers)])
    if train.distillation is None:
        epochs = _numbered(parts)
        result = FitResult(
            joined,
            epochs,
            best_of(epochs).number,
            _best_epochs(parts),
            None if validate is None else float(validate(joined)),
        )
    else:
        run = EpochRun(
            folder / STUDENT,
            StudentTraining(joined, log, towers, train, progress),
            validate,
            epochs=last[-1],
            patience=train.distillation.epochs,
            validate_every=1,
        )
        student = _result(run)
        epochs = _numbered([*parts, student])
        result = replace(
            student,
            epochs=epochs,
            best_epoch=len(epochs) - len(student.epochs) + student.best_epoch,
            best_epochs=_best_epochs([*parts, student]),
        )
    write_epochs(folder, result.epochs)
    return result


def _result(run: EpochRun[Towers]) -> FitResult:
    run.run()
    best = run.best
    towers = load_two_towers(run.best_folder)
    return FitResult(towers, tuple(run.epochs), best.number, (best.number,), best.validation)


def _numbered(parts: Sequence[FitResult]) -> tuple[Epoch, ...]:
    """All epochs of several trainings, numbered consecutively."""
    epochs = [epoch for part in parts for epoch in part.epochs]
    return tuple(replace(epoch, number=at) for at, epoch in enumerate(epochs, start=1))


def _best_epochs(parts: Sequence[FitResult]) -> tuple[int, ...]:
    return tuple(epoch for part in parts for epoch in part.best_epochs)


def _check_distillation(towers: TowersConfig, train: TrainConfig) -> None:
    if train.distillation is not None and towers.user_id == "none":
        raise ConfigError(
            "train.distillation trains a vector per user id, and towers.user_id is 'none': set it"
            " to 'embedding', or leave train.distillation out where queries are histories or"
            " searches",
            field="train.distillation",
        )


def _last_epochs(train: TrainConfig, stop_after: Sequence[int] | None) -> Sequence[int]:
    """Last epoch of each member and, under distillation, of the student."""
    most = [train.epochs] * member_count(train)
    if train.distillation is not None:
        most.append(train.distillation.epochs)
    if stop_after is None:
        return most
    if len(stop_after) != len(most) or not all(1 <= at <= top for at, top in zip(stop_after, most)):
        raise ConfigError(
            "stop_after must hold an epoch per member of train.members, and one for the student of"
            f" train.distillation, each from 1 to at most {most}; got {list(stop_after)}",
            field="train.epochs",
        )
    return stop_after
