"""Training of the deep and cross network by the softmax over the items of each request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from recsys._tf import tf_keras
from recsys.encoders.words.tokens import words
from recsys.errors import DataError
from recsys.ids import Vectors
from recsys.progress import Progress, silent
from recsys.ranking.bags import Bags
from recsys.ranking.config import CrossConfig, CrossTrainConfig
from recsys.ranking.learning.cross_model import CrossModel
from recsys.ranking.learning.fitting import standardisation
from recsys.ranking.learning.table import TrainingTable
from recsys.ranking.scorers.cross import CrossScorer, rows_of_words
from recsys.ranking.scorers.storage import load_scorer
from recsys.ranking.vector_network import last_of
from recsys.towers.training.batches import Batch, step_seed
from recsys.towers.training.epochs import EpochRun
from recsys.towers.training.loop import TrainingLoop


def fit_cross(
    table: TrainingTable,
    *,
    items: int,
    item_vectors: Vectors | None,
    folder: Path,
    network: CrossConfig,
    train: CrossTrainConfig,
    validate: Callable[[CrossScorer], float],
    progress: Progress = silent,
) -> CrossScorer:
    """The network of the epoch that is best on validation.

    Each request is one example: the taken items are predicted among all of its items. Scores
    compare the items of one request.

    Args:
        table: Examples.
        items: Number of items.
        item_vectors: The towers' item vectors, float32 ``[items, d]``; None reads none.
        folder: Folder of checkpoints, ``epochs.json`` and ``best-EPOCH/``; an interrupted training
            continues there.
        network: Sizes of the network.
        train: Configuration of the training.
        validate: Figure of the network after an epoch, to maximise.
        progress: Called after every step.

    Raises:
        DataError: There is nothing to train on, or the vectors are of other items.
        TrainingError: The loss or the validation figure is not finite.
    """
    table.check("training of the deep and cross network")
    table = table.at(np.unique(table.owners[table.taken]).astype(np.int64))
    if item_vectors is not None and len(item_vectors) != items:
        raise DataError(f"{items} items need as many vectors; got {len(item_vectors)}")
    tf_keras.utils.set_random_seed(train.seed)
    vocabulary = _vocabulary(table, network.min_count)
    model = CrossModel(
        network,
        table.names,
        *standardisation(table),
        items=items,
        item_vectors=item_vectors,
        vocabulary=vocabulary,
        graded=table.grades is not None,
    )
    run = EpochRun(
        folder,
        CrossTraining(model, Examples(table, network.window, vocabulary), train, progress),
        validate,
        epochs=train.epochs,
        patience=train.patience,
        validate_every=1,
    )
    run.run()
    scorer = load_scorer(run.best_folder)
    assert isinstance(scorer, CrossScorer)
    return scorer


class Examples:
    """Batches of a training table.

    Args:
        table: Examples.
        window: Number of last items of a history that are read.
        vocabulary: Words with a trained vector.
    """

    def __init__(self, table: TrainingTable, window: int, vocabulary: tuple[str, ...]) -> None:
        self._table, self._window = table, window
        self._centre, self._scale = standardisation(table)
        rows = {word: row for row, word in enumerate(vocabulary)}
        phrases = table.phrases or ((),) * table.requests
        self._words = Bags.of([rows_of_words(rows, each) for each in phrases])

    def __len__(self) -> int:
        return self._table.requests

    def batch(self, requests: np.ndarray) -> Batch:
        """Arrays of these requests."""
        table, window = self._table.at(requests), self._window
        last = last_of(table.histories, window)
        history = np.zeros((len(requests), window), np.int32)
        real = np.arange(window) >= window - last.lengths[:, None]
        history[real] = last.rows
        found = self._words.at(requests)
        batch: Batch = {
            "values": ((table.values - self._centre) / self._scale).astype(np.float32),
            "rows": table.rows,
            "owner": table.owners,
            "column": (np.arange(len(table)) - table.offsets[table.owners]).astype(np.int32),
            "taken": table.taken.astype(np.float32),
            "weights": table.weights,
            "history": history,
            "real": real.astype(np.float32),
            "words": found.rows,
            "word_owner": found.owners,
        }
        if table.grades is not None:
            graded = table.taken & np.isfinite(table.grades)
            batch["graded"] = graded.astype(np.float32)
            batch["grades"] = np.where(graded, table.grades, 0).astype(np.float32)
        return batch


class CrossTraining(TrainingLoop):
    """Training of one network."""

    section = "ranker.train"

    def __init__(
        self, model: CrossModel, examples: Examples, train: CrossTrainConfig, progress: Progress
    ) -> None:
        self._train, self._examples = train, examples
        optimizer = tf_keras.optimizers.Adam(train.learning_rate, global_clipnorm=train.clip_norm)
        example = next(iter(self.batches(0)[1]))
        super().__init__(
            model,
            optimizer,
            example,
            epochs=train.epochs,
            average=train.average,
            progress=progress,
        )

    def batches(self, epoch: int) -> tuple[int, Iterable[Batch]]:
        steps = -(-len(self._examples) // self._train.batch_requests)
        return steps, self._load(epoch)

    def freeze(self) -> CrossScorer:
        """A copy of the network with its averaged weights."""
        with self.averaged():
            scorer: CrossScorer = self._model.freeze()
        return scorer

    def _load(self, epoch: int) -> Iterator[Batch]:
        train = self._train
        order = np.random.default_rng([train.seed, epoch]).permutation(len(self._examples))
        for step, low in enumerate(range(0, len(order), train.batch_requests)):
            batch = self._examples.batch(order[low : low + train.batch_requests])
            yield {**batch, "seed": step_seed(train.seed, epoch, step)}


def _vocabulary(table: TrainingTable, min_count: int) -> tuple[str, ...]:
    """Words of at least ``min_count`` requests, by frequency, then alphabetically."""
    counts: Counter[str] = Counter()
    for phrases in table.phrases:
        counts.update({word for phrase in phrases if phrase for word in words(phrase)})
    often = [word for word, count in counts.items() if count >= min_count]
    return tuple(sorted(often, key=lambda word: (-counts[word], word)))
