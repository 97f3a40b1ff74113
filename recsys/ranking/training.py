"""Training of pair networks by the binary cross-entropy of "taken or not".

Each interaction is a positive pair, with n negatives drawn in each epoch among the items that its
user never took (He, Liao, Zhang, Nie, Hu, Chua, "Neural collaborative filtering", WWW 2017, eq. 7):

    L = - sum over (u, i) taken of log p(u, i) - sum over (u, j) drawn of log(1 - p(u, j))

as a weighted mean over pairs. A user's history ends before the interaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic

import numpy as np

from recsys._tf import tf_keras
from recsys.errors import DataError
from recsys.features import FeatureBlock
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.ranking.config import PairTrainConfig, SparsePairConfig, VectorPairConfig
from recsys.ranking.models import Network, PairModel, SparsePairModel, VectorPairModel
from recsys.ranking.sampling import PairSampler
from recsys.ranking.sparse_network import SparsePairNetwork, load_sparse_pairs
from recsys.ranking.vector_network import VectorPairNetwork, load_vector_pairs
from recsys.towers.training.batches import Batch
from recsys.towers.training.epochs import Epoch, EpochRun
from recsys.towers.training.loop import TrainingLoop


@dataclass(frozen=True, eq=False)
class PairFitResult(Generic[Network]):
    """The best network of a training on validation, and its epochs."""

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
        block: Vectors of ``log.items``; pairs whose item has none do not count.
        network: Sizes of the network.
        train: Configuration of the training.
        folder: Folder of checkpoints, ``epochs.json``, ``best-EPOCH/`` and ``tensorboard/``; an
            interrupted training continues there.
        validate: Figure of the network after an epoch, to maximise.
        progress: Called after every step.

    Raises:
        DataError: There is nothing to train on, or the block is of other items.
        TrainingError: The loss or the validation figure is not finite.
    """
    if len(block) != len(log.items):
        raise DataError(
            f"the block '{block.name}' holds {len(block)} items; the log knows {len(log.items)}"
        )
    if not (block.mask & log.warm).any():
        raise DataError(
            f"no item of the training part has a vector in the block '{block.name}': there is "
            "nothing to train on"
        )
    model = partial(VectorPairModel, network, log, block)
    return _fit(model, log, train, folder, validate, load_vector_pairs, progress)


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
        network: Sizes of the network.
        train: Configuration of the training.
        folder: As in :func:`fit_vector_pairs`.
        validate: As in :func:`fit_vector_pairs`.
        progress: Called after every step.

    Raises:
        DataError: There is nothing to train on.
        TrainingError: The loss or the validation figure is not finite.
    """
    model = partial(SparsePairModel, network, log)
    return _fit(model, log, train, folder, validate, load_sparse_pairs, progress)


class PairTraining(TrainingLoop, Generic[Network]):
    """Training of one pair network."""

    def __init__(
        self,
        model: PairModel[Network],
        log: Interactions,
        train: PairTrainConfig,
        progress: Progress,
    ) -> None:
        self._train = train
        self._sampler = PairSampler(log, train.negatives)
        optimizer = tf_keras.optimizers.Adam(train.learning_rate, global_clipnorm=train.clip_norm)
        example = next(self._load(model, epoch=0))
        super().__init__(model, optimizer, example, epochs=train.epochs, progress=progress)

    def batches(self, epoch: int) -> tuple[int, Iterable[Batch]]:
        return self._steps, self._load(self._model, epoch)

    def freeze(self) -> Network:
        network: Network = self._model.freeze()
        return network

    @property
    def _steps(self) -> int:
        return self._sampler.steps(size=self._train.batch_size, positives=self._train.positives)

    def _load(self, model: PairModel[Network], epoch: int) -> Iterator[Batch]:
        train = self._train
        rng = np.random.default_rng([train.seed, epoch, 1])
        batches = self._sampler.batches(
            size=train.batch_size, seed=train.seed, epoch=epoch, positives=train.positives
        )
        for step, batch in enumerate(batches, start=epoch * self._steps):
            yield {**model.arrays(batch, rng), "seed": np.array([train.seed, step], np.int32)}


def _fit(
    build_model: Callable[[], PairModel[Network]],
    log: Interactions,
    train: PairTrainConfig,
    folder: Path,
    validate: Callable[[Network], float],
    load: Callable[[Path], Network],
    progress: Progress,
) -> PairFitResult[Network]:
    if len(log) < 1 or int(log.warm.sum()) < 2:
        raise DataError(
            "training of pair networks needs an item taken and another one not taken; the training"
            f" part has {len(log)} interactions with {int(log.warm.sum())} items"
        )
    tf_keras.utils.set_random_seed(train.seed)
    run = EpochRun(
        folder,
        PairTraining(build_model(), log, train, progress),
        validate,
        epochs=train.epochs,
        patience=train.patience,
        validate_every=train.validate_every,
    )
    run.run()
    return PairFitResult(load(run.best_folder), tuple(run.epochs), run.best.number)
