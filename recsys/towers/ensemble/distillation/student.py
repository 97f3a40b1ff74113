"""The student: a vector for each user and each item, and nothing else, that rank as the teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import compiled, tf, tf_keras, tfrs
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.ensemble.distillation.config import Distillation
from recsys.towers.ensemble.distillation.reduction import reduce_dimension
from recsys.towers.ensemble.distillation.targets import Targets
from recsys.towers.ensemble.joined import JoinedTowers
from recsys.towers.histories.configs import NoHistory
from recsys.towers.model.set_model import multinomial
from recsys.towers.query import QueryBatch
from recsys.towers.towers import Towers, load_two_towers, towers_from_tables
from recsys.towers.training.batches import Batch
from recsys.towers.training.collapse import refuse_collapsed
from recsys.towers.training.epochs import Epoch, EpochRun
from recsys.towers.training.optimizer import build_optimizer
from recsys.towers.training.passes import run_pass
from recsys.towers.training.set_batches import group_users, spread

WARMUP_STEPS, BETA_2 = 10, 0.98
"""A user's row moves once an epoch: what Adam keeps of the past is of few steps."""


def distil(
    teacher: JoinedTowers,
    log: Interactions,
    *,
    towers: TowersConfig,
    train: TrainConfig,
    folder: Path,
    last: int,
    validate: Callable[[Towers], float] | None,
    progress: Progress = silent,
) -> tuple[Towers, tuple[Epoch, ...], Epoch]:
    """Teach a student of ``towers.dimension`` numbers, or go on in ``folder``.

    With p_u the shares that the teacher gives user u's best items, none of them met
    (:class:`~recsys.towers.ensemble.distillation.targets.Targets`),
    over warm items j that u has not met,

        L = mean over u of - sum over i of p_ui log( exp(q_u . v_i) / sum_j exp(q_u . v_j) )

    the cross-entropy of distillation (Hinton et al. 2015) for rankings (Tang & Wang, "Ranking
    distillation", KDD 2018). What was met is never asked for, so that no number is spent on it. The
    lengths of v are free, and are kept. Queries and items begin as the teacher's towers in their
    best linear reduction; items that training never met stay there.

    Args:
        teacher: The trained towers.
        log: Training interactions.
        towers, train: Of the run; ``train.distillation`` says how.
        folder: Where checkpoints, ``epochs.json`` and ``best-EPOCH/`` go.
        last: The last epoch.
        validate: The figure to maximise; None keeps the last epoch's student.
        progress: Told after every step.

    Returns:
        The best student, which knows users by their id alone; all epochs; the best of them.

    Raises:
        TrainingError: The loss or the figure is no longer finite, or the vectors have collapsed.
    """
    asked = train.distillation
    assert asked is not None, "the caller distils because it is set"
    lessons = _Lessons(teacher, log, towers, train, asked, progress)
    run = EpochRun(folder, lessons.checkpoint, epochs=last, patience=asked.epochs, validate_every=1)
    while not run.finished:
        run.epoch(lessons.train, freeze=lessons.freeze, judge=validate)
    return load_two_towers(run.best_folder), tuple(run.epochs), run.best


class _Lessons:
    """The steps of an epoch."""

    def __init__(
        self,
        teacher: JoinedTowers,
        log: Interactions,
        towers: TowersConfig,
        train: TrainConfig,
        asked: Distillation,
        progress: Progress,
    ) -> None:
        tf_keras.utils.set_random_seed(train.seed)
        self._log, self._progress, self._asked = log, progress, asked
        self._groups = {"positions": train.batch_positions, "seed": train.seed}
        self._teacher = teacher
        everyone = np.arange(len(log.users), dtype=np.int32)
        self._everyone = QueryBatch.of([log.history(int(u)) for u in everyone], users=everyone)
        reduced = reduce_dimension(
            teacher.encode(self._everyone), teacher.item_vectors, towers.dimension, among=log.warm
        )
        self._model = Student(*_balanced(*reduced, scale=asked.sharpness / asked.temperature), log)
        own = {
            "learning_rate": asked.learning_rate,
            "warmup_steps": WARMUP_STEPS,
            "decay": "cosine",
            "beta_2": BETA_2,
            "weight_decay": 0.0,
            "epochs": asked.epochs,
        }
        steps = len(group_users(log, **self._groups, epoch=0)) * asked.epochs
        optimizer = build_optimizer(train.model_copy(update=own), steps)
        self._model.compile(optimizer=optimizer)
        optimizer.build(self._model.trainable_variables)
        self.checkpoint = tf.train.Checkpoint(model=self._model, optimizer=optimizer)
        rows, places = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, 2], tf.int32)
        shapes = {"user": rows, "item": rows, "of": rows, "met": places}
        shapes["weight"] = tf.TensorSpec([None], tf.float32)
        self._step = compiled(self._model.train_step, input_signature=[shapes])

    def train(self, number: int, shown: str) -> float:
        """One pass over the users; the mean loss."""
        groups = group_users(self._log, **self._groups, epoch=number)
        return run_pass(
            self._batches(groups),
            lambda batch: float(self._step(batch)["loss"]),
            steps=len(groups),
            number=number,
            told=f"distil, epoch {number}/{self._asked.epochs}",
            shown=shown,
            progress=self._progress,
            lower="train.distillation.learning_rate",
        )

    def freeze(self) -> Towers:
        """The student as it is now."""
        queries, vectors = self._model.vectors()
        warm = vectors[self._log.warm]
        refuse_collapsed(_unit(warm), _unit(queries[np.diff(self._log.offsets) > 0]))
        config = TowersConfig(
            dimension=vectors.shape[1], history=NoHistory(), user_id="embedding", terms="none"
        )
        longest = max(float(np.linalg.norm(vectors, axis=1).max(initial=0)), 1e-30)
        return towers_from_tables(config, queries, vectors / np.float32(longest))

    @cached_property
    def _targets(self) -> Targets:
        """Made in the first pass: a finished run has no need of them."""
        whole = self._teacher.encode(self._everyone), self._teacher.item_vectors
        return Targets.of(self._log, *whole, self._asked, progress=self._progress)

    def _batches(self, groups: list[Any]) -> Iterator[Batch]:
        for users in groups:
            of, item, weight = self._targets.pairs(users)
            who, places = spread(self._log.offsets, users)
            met = np.unique(np.stack([who, self._log.item[places]], axis=1), axis=0)
            yield {
                "user": users,
                "of": of,
                "item": item,
                "weight": weight,
                "met": met.astype(np.int32),
            }


class Student(tfrs.Model):  # type: ignore[misc]
    """Two tables, trained by what :func:`distil` says.

    Args:
        queries: Where users begin, float32 ``[users, d]``.
        vectors: Where items begin, float32 ``[items, d]``.
        log: Training interactions.
    """

    def __init__(self, queries: Vectors, vectors: Vectors, log: Interactions) -> None:
        super().__init__()
        begin = {"users": queries, "items": vectors}
        self._tables = {
            name: self.add_weight(
                name=name, shape=table.shape, initializer=tf_keras.initializers.Constant(table)
            )
            for name, table in begin.items()
        }
        warm = np.flatnonzero(log.warm)
        places = np.zeros(len(log.items), np.int32)
        places[warm] = np.arange(len(warm))
        self._warm, self._places = tf.constant(warm, tf.int32), tf.constant(places)

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """The mean loss of a batch's users.

        Args:
            inputs: ``user`` ``[b]``; ``item``, ``weight`` and ``of``, the place of its user,
                ``[p]``; ``met`` ``[n, 2]``, the place of a user and an item that they met.
            training: Makes no difference.
        """
        of, item = tf.unstack(inputs["met"], axis=1)
        return multinomial(
            tf.gather(self._tables["users"], inputs["user"]),
            tf.gather(self._tables["items"], self._warm),
            of=inputs["of"],
            positives=tf.gather(self._places, inputs["item"]),
            weights=inputs["weight"],
            never=tf.stack([of, tf.gather(self._places, item)], axis=1),
        )

    def vectors(self) -> tuple[Vectors, Vectors]:
        """Of users ``[users, d]`` and items ``[items, d]``, as they are now."""
        return self._tables["users"].numpy(), self._tables["items"].numpy()


def _balanced(queries: Vectors, vectors: Vectors, *, scale: float) -> tuple[Vectors, Vectors]:
    """Both so that their inner products grow by ``scale`` and neither side is the longer."""
    lengths = [max(float(np.linalg.norm(side, axis=1).mean()), 1e-6) for side in (queries, vectors)]
    share = np.sqrt(lengths[1] / lengths[0])
    root = np.sqrt(scale)
    return (queries * (root * share)).astype(np.float32), (vectors * (root / share)).astype(
        np.float32
    )


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
