"""Training of pair networks: one loop for both kinds.

The loss is the binary cross-entropy of "taken or not", over each interaction and n items that its
user did not take, drawn anew each epoch (He, Liao, Zhang, Nie, Hu, Chua, "Neural collaborative
filtering", WWW 2017, eq. 7):

    L = - sum over (u, i) taken of log p(u, i) - sum over (u, j) drawn of log(1 - p(u, j))

as a mean over pairs, weighted by the interactions' weights. A history is what came before the
interaction, so that no pair knows what it is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from recsys._tf import compiled, tf, tf_keras
from recsys.errors import DataError, TrainingError
from recsys.features import FeatureBlock
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.ranking.config import PairTrainConfig, SparsePairConfig, VectorPairConfig
from recsys.ranking.sampling import PairSampler
from recsys.ranking.sparse_network import SparsePairNetwork, load_sparse_pairs
from recsys.ranking.trainable import SparsePairs, Trainable, VectorPairs
from recsys.ranking.vector_network import VectorPairNetwork, load_vector_pairs
from recsys.towers.training.epochs import Epoch, EpochRun

Network = TypeVar("Network", VectorPairNetwork, SparsePairNetwork)


@dataclass(frozen=True, eq=False)
class PairFitResult(Generic[Network]):
    """The best network of a run on validation, and how it went."""

    network: Network
    epochs: tuple[Epoch, ...]
    best_epoch: int


def fit_vector_pairs(
    log: Interactions,
    block: FeatureBlock,
    *,
    network: VectorPairConfig,
    train: PairTrainConfig,
    folder: Path,
    validate: Callable[[VectorPairNetwork], float],
    progress: Progress = silent,
) -> PairFitResult[VectorPairNetwork]:
    """Train a network over the mean of a history's vectors and an item's vector.

    Args:
        log: Training interactions.
        block: One vector an item of ``log.items``; pairs without the item's vector do not count.
        network: Its sizes.
        train: How it is trained.
        folder: Where checkpoints, ``epochs.json``, ``best-EPOCH/`` and ``tensorboard/`` go; a run
            that was stopped goes on there.
        validate: The figure to maximise, of the network as it is after an epoch.
        progress: Told after every step.

    Raises:
        DataError: There is nothing to train on, or the block is of other items.
        TrainingError: The loss or the validation figure is no longer finite.
    """
    if len(block) != len(log.items):
        raise DataError(
            f"the block '{block.name}' holds {len(block)} items; the log knows {len(log.items)}"
        )
    if not (block.mask & log.warm).any():
        raise DataError(
            f"no item of the training part has a vector in the block '{block.name}': there is "
            "nothing to learn from"
        )
    _check(log)
    tf_keras.utils.set_random_seed(train.seed)
    model = VectorPairs(network, log, block)
    steps = _Steps(model, log, train, progress)
    return _fit(steps, train, folder, model.freeze, validate, load_vector_pairs)


def fit_sparse_pairs(
    log: Interactions,
    *,
    network: SparsePairConfig,
    train: PairTrainConfig,
    folder: Path,
    validate: Callable[[SparsePairNetwork], float],
    progress: Progress = silent,
) -> PairFitResult[SparsePairNetwork]:
    """Train a network that learns the vectors of items and of searched words itself.

    Args:
        log: Training interactions, with the search terms that led to some of them.
        network: Its sizes.
        train: As in :func:`fit_vector_pairs`, like the rest.
        folder: As there.
        validate: As there.
        progress: As there.

    Raises:
        DataError: There is nothing to train on.
        TrainingError: The loss or the validation figure is no longer finite.
    """
    _check(log)
    tf_keras.utils.set_random_seed(train.seed)
    model = SparsePairs(network, log)
    steps = _Steps(model, log, train, progress)
    return _fit(steps, train, folder, model.freeze, validate, load_sparse_pairs)


def _check(log: Interactions) -> None:
    if len(log) < 1 or int(log.warm.sum()) < 2:
        raise DataError(
            "pairs need an item taken and another that was not; the training part has "
            f"{len(log)} interactions with {int(log.warm.sum())} items"
        )


def _fit(
    steps: _Steps,
    train: PairTrainConfig,
    folder: Path,
    freeze: Callable[[], Network],
    validate: Callable[[Network], float],
    load: Callable[[Path], Network],
) -> PairFitResult[Network]:
    run = EpochRun(
        folder,
        steps.checkpoint,
        epochs=train.epochs,
        patience=train.patience,
        validate_every=train.validate_every,
    )
    while not run.finished:
        run.epoch(steps.train, freeze=freeze, judge=validate)
    return PairFitResult(load(run.best_folder), tuple(run.epochs), run.best.number)


class _Steps:
    """The steps of an epoch."""

    def __init__(
        self, model: Trainable, log: Interactions, train: PairTrainConfig, progress: Progress
    ) -> None:
        self._model, self._train, self._progress = model, train, progress
        self._sampler = PairSampler(log, train.negatives)
        self._optimizer = tf_keras.optimizers.Adam(
            train.learning_rate, global_clipnorm=train.clip_norm
        )
        self._optimizer.build(model.trainable_variables)
        self._step = compiled(self._one_step, reduce_retracing=True)
        self.checkpoint = tf.train.Checkpoint(model=model, optimizer=self._optimizer)

    def train(self, epoch: int, shown: str) -> float:
        """One pass; the mean loss."""
        train, losses = self._train, []
        total = self._sampler.steps(size=train.batch_size, positives=train.positives)
        left_out = np.random.default_rng([train.seed, epoch, 1])
        batches = self._sampler.batches(
            size=train.batch_size, seed=train.seed, epoch=epoch, positives=train.positives
        )
        for at, batch in enumerate(batches):
            arrays = self._model.arrays(batch, left_out)
            inputs = {name: tf.constant(array) for name, array in arrays.items()}
            losses.append(float(self._step(inputs, tf.constant([train.seed, epoch * total + at]))))
            if not math.isfinite(losses[-1]):
                raise TrainingError(
                    f"the loss became {losses[-1]} in epoch {epoch}, step {at + 1}: lower "
                    "learning_rate or clip_norm",
                    field="train.learning_rate",
                )
            what = f"train, epoch {epoch}/{train.epochs}"
            self._progress(what, at + 1, total, f"loss {np.mean(losses):.3f}{shown}")
        return float(np.mean(losses))

    def _one_step(self, inputs: dict[str, tf.Tensor], seed: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self._model.loss_of(inputs, seed)
        variables = self._model.trainable_variables
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss
