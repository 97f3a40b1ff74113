"""The training of one two-tower model."""

from __future__ import annotations

from collections.abc import Iterable

from recsys._tf import tf_keras
from recsys.progress import Progress
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.towers import Towers, freeze
from recsys.towers.training.batches import Batch
from recsys.towers.training.collapse import refuse_collapsed
from recsys.towers.training.data import TrainingData
from recsys.towers.training.loop import TrainingLoop, tensors
from recsys.towers.training.objectives import Objective
from recsys.towers.training.optimizer import build_optimizer


class TowerTraining(TrainingLoop):
    """New towers in training."""

    def __init__(
        self, data: TrainingData, towers: TowersConfig, train: TrainConfig, progress: Progress
    ) -> None:
        tf_keras.utils.set_random_seed(train.seed)
        log, user_block = data.log, data.user_block
        self._log, self._towers = log, towers
        self._sizes = {"users": len(log.users), "terms": int(data.phrase_vectors.shape[1])}
        self._sizes |= {f"context_{name}": len(values) for name, values in log.context.items()}
        if user_block is not None:
            self._sizes["user_vectors"] = user_block.dimension
        self._objective = Objective(towers, train, log)
        groups = self._objective.groups(0)
        self._example = next(self._objective.load(0, [max(groups, key=len)]))
        super().__init__(
            self._objective.model(data.blocks, data.phrase_vectors, user_block),
            build_optimizer(train, len(groups) * train.epochs),
            self._example,
            epochs=train.epochs,
            average=train.average,
            progress=progress,
        )

    def batches(self, epoch: int) -> tuple[int, Iterable[Batch]]:
        groups = self._objective.groups(epoch)
        return len(groups), self._objective.load(epoch, groups)

    def freeze(self) -> Towers:
        """The towers as they are now, with averaged weights where these are averaged.

        Raises:
            TrainingError: The vectors have collapsed.
        """
        with self.averaged():
            towers = freeze(self._towers, self._model, self._sizes)
            queries = self._model.queries(tensors(self._example)).numpy()
        refuse_collapsed(towers.item_vectors[self._log.warm], queries)
        return towers
