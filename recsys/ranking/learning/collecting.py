"""From requests with known answers to a training table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from recsys.errors import DataError
from recsys.ids import Mask, Rows, Vectors
from recsys.ranking.inputs import FeatureSet, FeatureTable, PairContext, RetrievedItems
from recsys.ranking.learning.table import TrainingTable


@dataclass(frozen=True, eq=False)
class AnsweredRequest:
    """A request, the items that were retrieved or shown, and those that the user took.

    Attributes:
        context: The request, as it was known when it was made.
        items: Retrieved or shown items.
        taken: Rows of the items that the user took; others than ``items`` do not count, int32.
        time: Time of the request.

    Example:
        >>> items = RetrievedItems.of_list("two_tower", np.array([4, 7], np.int32), [0.9, 0.4])
        >>> AnsweredRequest(PairContext(), items, np.array([7], np.int32), time=10).labels.tolist()
        [False, True]
    """

    context: PairContext
    items: RetrievedItems
    taken: Rows
    time: int

    @property
    def labels(self) -> Mask:
        """Whether the user took each of ``items``, bool ``[n]``."""
        return np.isin(self.items.rows, self.taken)


def collect(
    requests: Iterable[AnsweredRequest],
    features: FeatureSet,
    *,
    negatives: int | None = None,
    seed: int = 0,
) -> TrainingTable:
    """The features and labels of all requests of which an item was taken.

    Args:
        requests: Requests in any order.
        features: Features to compute.
        negatives: Largest number of items per request that were not taken, drawn without
            replacement after the features were computed; each drawn item stands for several. None
            keeps all.
        seed: Seed of the draws.

    Raises:
        DataError: No item of any request was taken, or the features of a request see its future:
            the statistics or the history reach beyond its time.
    """
    rng = np.random.default_rng(seed)
    tables: list[FeatureTable] = []
    taken: list[Mask] = []
    weights: list[Vectors] = []
    times: list[int] = []
    contexts: list[PairContext] = []
    for request in requests:
        labels = request.labels
        if not labels.any():
            continue
        _check_past(request, features)
        table = features.compute(request.context, request.items)
        kept, weight = _drawn(labels, negatives, rng)
        tables.append(FeatureTable(table.names, table.values[kept], table.rows[kept]))
        taken.append(labels[kept])
        weights.append(weight)
        times.append(request.time)
        contexts.append(request.context)
    return TrainingTable.of(tables, taken, times=times, weights=weights, contexts=contexts)


def _check_past(request: AnsweredRequest, features: FeatureSet) -> None:
    statistics, times = features.statistics, request.context.times
    if statistics.clock == "timestamp" and statistics.before > request.time:
        raise DataError(
            f"the statistics include interactions up to {statistics.before}, after the request at "
            f"{request.time}: a feature would see the future; make them of the log before it"
        )
    if times is not None and len(times) and int(times.max()) >= request.time:
        raise DataError(
            f"the history of the request at {request.time} reaches to {int(times.max())}: a feature"
            " would see the future; it must end before the request"
        )


def _drawn(labels: Mask, negatives: int | None, rng: np.random.Generator) -> tuple[Rows, Vectors]:
    """Positions that are kept, ascending, and the number of items that each stands for."""
    others = np.flatnonzero(~labels)
    if negatives is None or len(others) <= negatives:
        return np.arange(len(labels), dtype=np.int32), np.ones(len(labels), np.float32)
    drawn = rng.choice(others, negatives, replace=False, shuffle=False)
    kept = np.sort(np.concatenate([np.flatnonzero(labels), drawn]))
    weights = np.where(labels[kept], 1.0, len(others) / negatives)
    return kept.astype(np.int32), weights.astype(np.float32)
