"""The student: one vector per user and per item, trained to rank as its teacher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras, tfrs
from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.progress import Progress
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.ensemble.distillation.reduction import reduce_dimension
from recsys.towers.ensemble.distillation.targets import DistillationTargets
from recsys.towers.ensemble.joined import JoinedTowers
from recsys.towers.histories.configs import NoHistory
from recsys.towers.model.set_model import multinomial
from recsys.towers.query import QueryBatch
from recsys.towers.towers import Towers, towers_from_tables
from recsys.towers.training.batches import Batch
from recsys.towers.training.collapse import refuse_collapsed
from recsys.towers.training.loop import TrainingLoop
from recsys.towers.training.optimizer import build_optimizer
from recsys.towers.training.set_batches import flat_positions, group_users

WARMUP_STEPS, BETA_2 = 10, 0.98
"""A user's vector moves once per epoch: Adam averages over few steps."""


class StudentTraining(TrainingLoop):
    """Training of a student of ``towers.dimension`` numbers per user and item.

    With p_u the teacher's shares of user u's best items, those of u's history left out
    (:class:`~recsys.towers.ensemble.distillation.targets.DistillationTargets`), and j over the
    warm items outside u's history,

        L = mean over u of - sum over i of p_ui log( exp(q_u . v_i) / sum_j exp(q_u . v_j) )

    the cross-entropy of distillation (Hinton et al. 2015) for rankings (Tang & Wang, "Ranking
    distillation", KDD 2018). Lengths of v are free. Queries and items start as the best linear
    reduction of the teacher's; items unknown to training stay there.
    """

    task, section = "distil", "train.distillation"

    def __init__(
        self,
        teacher: JoinedTowers,
        log: Interactions,
        towers: TowersConfig,
        train: TrainConfig,
        progress: Progress,
    ) -> None:
        config = train.distillation
        assert config is not None, "the caller distils because it is set"
        tf_keras.utils.set_random_seed(train.seed)
        self._log, self._config = log, config
        self._grouping = {"positions": train.batch_positions, "seed": train.seed}
        users = np.arange(len(log.users), dtype=np.int32)
        queries = QueryBatch.of([log.history(int(user)) for user in users], users=users)
        self._teacher = teacher.encode(queries), teacher.item_vectors
        reduced = reduce_dimension(*self._teacher, towers.dimension, among=log.warm)
        student = Student(*_balanced(*reduced, scale=config.sharpness / config.temperature), log)
        settings = {
            "learning_rate": config.learning_rate,
            "warmup_steps": WARMUP_STEPS,
            "decay": "cosine",
            "beta_2": BETA_2,
            "weight_decay": 0.0,
            "epochs": config.epochs,
        }
        steps = len(group_users(log, **self._grouping, epoch=0)) * config.epochs
        optimizer = build_optimizer(train.model_copy(update=settings), steps)
        names = ("user", "of", "item", "seen_of", "seen_item")
        example: Batch = {name: np.zeros(0, np.int32) for name in names}
        example["weight"] = np.zeros(0, np.float32)
        super().__init__(student, optimizer, example, epochs=config.epochs, progress=progress)

    def batches(self, epoch: int) -> tuple[int, Iterable[Batch]]:
        groups = group_users(self._log, **self._grouping, epoch=epoch)
        return len(groups), self._load(groups)

    def freeze(self) -> Towers:
        """The student as it is now.

        Raises:
            TrainingError: The vectors have collapsed.
        """
        queries, vectors = self._model.vectors()
        warm = vectors[self._log.warm]
        refuse_collapsed(_unit(warm), _unit(queries[np.diff(self._log.offsets) > 0]))
        config = TowersConfig(
            dimension=vectors.shape[1], history=NoHistory(), user_id="embedding", terms="none"
        )
        longest = max(float(np.linalg.norm(vectors, axis=1).max(initial=0)), 1e-30)
        return towers_from_tables(config, queries, vectors / np.float32(longest))

    @cached_property
    def _targets(self) -> DistillationTargets:
        """Computed in the first pass: a finished run does not need them."""
        return DistillationTargets.of(
            self._log, *self._teacher, self._config, progress=self._progress
        )

    def _load(self, groups: list[Rows]) -> Iterator[Batch]:
        for users in groups:
            of, item, weight = self._targets.select(users)
            seen_of, positions = flat_positions(self._log.offsets, users)
            seen = np.unique(np.stack([seen_of, self._log.item[positions]]), axis=1)
            yield {
                "user": users,
                "of": of,
                "item": item,
                "weight": weight,
                "seen_of": seen[0].astype(np.int32),
                "seen_item": seen[1].astype(np.int32),
            }


class Student(tfrs.Model):  # type: ignore[misc]
    """Two tables of vectors, trained as :class:`StudentTraining` states.

    Args:
        queries: Initial vectors of users, float32 ``[users, d]``.
        vectors: Initial vectors of items, float32 ``[items, d]``.
        log: Training interactions.
    """

    def __init__(self, queries: Vectors, vectors: Vectors, log: Interactions) -> None:
        super().__init__()
        self._users, self._items = (
            self.add_weight(
                name=name, shape=table.shape, initializer=tf_keras.initializers.Constant(table)
            )
            for name, table in {"users": queries, "items": vectors}.items()
        )
        warm = np.flatnonzero(log.warm)
        indices = np.zeros(len(log.items), np.int32)
        indices[warm] = np.arange(len(warm))
        self._warm, self._indices = tf.constant(warm, tf.int32), tf.constant(indices)

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Mean loss of a batch's users.

        Args:
            inputs: ``user`` ``[b]``; ``item``, ``weight`` and ``of``, the index of the user in the
                batch, ``[p]``; ``seen_of`` and ``seen_item`` ``[n]``, the same of the histories.
            training: Ignored.
        """
        seen = tf.stack([inputs["seen_of"], tf.gather(self._indices, inputs["seen_item"])], axis=1)
        return multinomial(
            tf.gather(self._users, inputs["user"]),
            tf.gather(self._items, self._warm),
            of=inputs["of"],
            positives=tf.gather(self._indices, inputs["item"]),
            weights=inputs["weight"],
            never=seen,
        )

    def vectors(self) -> tuple[Vectors, Vectors]:
        """Current vectors of users ``[users, d]`` and items ``[items, d]``."""
        return self._users.numpy(), self._items.numpy()


def _balanced(queries: Vectors, vectors: Vectors, *, scale: float) -> tuple[Vectors, Vectors]:
    """Both sides scaled to equal mean length and to inner products multiplied by ``scale``."""
    lengths = [max(float(np.linalg.norm(side, axis=1).mean()), 1e-6) for side in (queries, vectors)]
    share, root = np.sqrt(lengths[1] / lengths[0]), np.sqrt(scale)
    return (queries * (root * share)).astype(np.float32), (vectors * (root / share)).astype(
        np.float32
    )


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
