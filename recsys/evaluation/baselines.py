"""Baselines: random scores, popularity, and a tuned item-kNN (Ferrari Dacrema et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.errors import InvalidRequestError
from recsys.evaluation.evaluation import evaluate_queries
from recsys.ids import Mask, Vectors
from recsys.interactions import Interactions
from recsys.splits.held_out import HeldOutQueries, offsets_of, ranges


@dataclass(frozen=True)
class RandomScorer:
    """Random scores, equal for equal queries and seeds.

    Example:
        >>> queries = HeldOutQueries.of(user=[0], histories=[[1]], targets=[[0]])
        >>> RandomScorer(items=4, seed=7).score(queries).shape
        (1, 4)
    """

    items: int
    seed: int = 0
    name: str = "random"

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]`` in [0, 1)."""
        scores = np.empty((len(queries), self.items), np.float32)
        keys = zip(queries.user.tolist(), queries.time.tolist(), queries.history_lengths.tolist())
        for row, (user, time, length) in enumerate(keys):
            # A time before 1970 is negative; seeds must not be.
            rng = np.random.default_rng([self.seed, user, time % 2**63, length])
            rng.random(dtype=np.float32, out=scores[row])
        return scores


@dataclass(frozen=True, eq=False)
class PopularityScorer:
    """The number of training interactions per item, for every query.

    Example:
        >>> from recsys.ids import IdMap
        >>> train = Interactions.of(IdMap.of("user", ["ann", "bob"]), IdMap.of("item", ["a", "b"]),
        ...     user=[0, 1], item=[1, 1], time=[1, 2])
        >>> queries = HeldOutQueries.of(user=[0], histories=[[]], targets=[[0]])
        >>> PopularityScorer(train).score(queries).tolist()
        [[0.0, 2.0]]
    """

    train: Interactions = field(repr=False)
    name: str = "popularity"

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]``, a read-only view."""
        counts = self.train.item_counts.astype(np.float32)
        return np.broadcast_to(counts, (len(queries), len(counts)))


class ItemKnnScorer:
    """Sum of an item's similarities to the items of the history.

    The similarity of two items is the cosine of their binary columns of users, damped for rare
    pairs: ``both / (sqrt(a * b) + shrinkage)``, for the nearest neighbours of each item (Deshpande
    and Karypis, 2004; shrinkage as in Ferrari Dacrema et al., 2019). Items without neighbours in
    the history follow all others, by popularity.

    The order of the history is ignored, but ``last`` limits it to its latest items, which is much
    better on logs with strong sequences.

    Args:
        train: Training interactions.
        neighbours: Number of neighbours per item.
        shrinkage: Number of users added to the denominator; 0 is the plain cosine.
        last: Number of latest items of a history to read; None for all.

    Raises:
        InvalidRequestError: ``neighbours`` or ``last`` below 1, or ``shrinkage`` below 0.

    Example:
        >>> from recsys.ids import IdMap
        >>> train = Interactions.of(IdMap.of("user", ["ann", "bob"]),
        ...     IdMap.of("item", ["a", "b", "c"]), user=[0, 0, 1], item=[0, 1, 2], time=[1, 2, 3])
        >>> queries = HeldOutQueries.of(user=[1], histories=[[0]], targets=[[1]])
        >>> ItemKnnScorer(train).score(queries).tolist()
        [[-0.5, 1.0, -0.5]]
    """

    def __init__(
        self,
        train: Interactions,
        *,
        neighbours: int = 200,
        shrinkage: float = 0.0,
        last: int | None = None,
        name: str = "item_knn",
    ) -> None:
        if neighbours < 1 or shrinkage < 0 or (last is not None and last < 1):
            raise InvalidRequestError(
                "neighbours and last must be 1 or more and shrinkage 0 or more; got "
                f"{neighbours}, {last} and {shrinkage}"
            )
        self.name = name
        self.neighbours, self.shrinkage, self.last = neighbours, shrinkage, last
        self._fill = -1 / (1 + train.item_counts.astype(np.float32))
        self._similarity = _similarity(train, neighbours, shrinkage)

    def refit(self, train: Interactions) -> ItemKnnScorer:
        """The same settings, trained on another log of the same items."""
        return ItemKnnScorer(
            train,
            neighbours=self.neighbours,
            shrinkage=self.shrinkage,
            last=self.last,
            name=self.name,
        )

    def narrowed(self, *, neighbours: int, last: int | None) -> ItemKnnScorer:
        """The same similarities with fewer neighbours or another ``last``."""
        other = copy(self)
        other.neighbours, other.last = min(neighbours, self.neighbours), last
        if neighbours < self.neighbours:
            other._similarity = _nearest(self._similarity.tocsc(copy=True), neighbours).tocsr()
        return other

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]``."""
        lengths = queries.history_lengths
        if self.last is not None:
            lengths = np.minimum(lengths, self.last)
        rows = queries.pool[ranges(queries.history_stop - lengths, lengths)]
        shape = (len(queries), len(self._fill))
        ones = np.ones(len(rows), np.float32)
        histories = sparse.csr_matrix((ones, rows, offsets_of(lengths)), shape=shape)
        histories.sum_duplicates()
        histories.data[:] = 1
        scores: Vectors = (histories @ self._similarity).toarray()
        return np.where(scores > 0, scores, self._fill).astype(np.float32)


def tune_item_knn(
    train: Interactions,
    validation: HeldOutQueries,
    *,
    candidates: Mask,
    k: int = 10,
    neighbours: Sequence[int] = (20, 50, 200),
    shrinkage: Sequence[float] = (0.0, 10.0, 100.0),
    last: Sequence[int | None] = (None, 10, 3, 1),
    sample: int = 2000,
    seed: int = 0,
) -> tuple[ItemKnnScorer, list[dict[str, float | None]]]:
    """The item-kNN with the best recall@k on validation, and the settings of all trials.

    All combinations of shrinkage and neighbours are tried on whole histories, then ``last`` with
    the best of them, on at most ``sample`` queries that are drawn by ``seed``.
    """
    drawn = np.random.default_rng(seed).permutation(len(validation))[:sample]
    queries = validation.at(np.sort(drawn))
    trials: list[tuple[float, ItemKnnScorer]] = []

    def best_of(scorers: Iterable[ItemKnnScorer]) -> ItemKnnScorer:
        options: Any = {"candidates": candidates, "item_counts": train.item_counts}
        for each in scorers:
            result = evaluate_queries(each, queries, ks=(k,), resamples=1, **options)
            trials.append((result.figures[f"recall@{k}"], each))
        return max(trials, key=lambda trial: trial[0])[1]

    for damp in shrinkage:
        widest = ItemKnnScorer(train, neighbours=max(neighbours), shrinkage=damp, last=last[0])
        best = best_of(widest.narrowed(neighbours=n, last=last[0]) for n in neighbours)
    best = best_of([best.narrowed(neighbours=best.neighbours, last=each) for each in last[1:]])
    names = ("neighbours", "shrinkage", "last")
    return best, [
        {**{name: getattr(each, name) for name in names}, f"recall@{k}": recall}
        for recall, each in trials
    ]


def _similarity(
    train: Interactions, neighbours: int, shrinkage: float, block: int = 1024
) -> sparse.csr_matrix:
    """float32 sparse ``[items, items]``: column i has the similarities of i's neighbours."""
    shape = (len(train.users), len(train.items))
    ones = np.ones(len(train), np.float32)
    matrix = sparse.csr_matrix((ones, (train.user, train.item)), shape=shape)
    matrix.data[:] = 1  # repeated interactions count once
    by_item = matrix.T.tocsr()
    norms = np.sqrt(np.diff(by_item.indptr)).astype(np.float32)
    columns = []
    for low in range(0, shape[1], block):
        part = (by_item @ matrix[:, low : low + block]).tocsc()
        part.sort_indices()
        owner = np.repeat(np.arange(low, low + part.shape[1]), np.diff(part.indptr))
        part.data /= norms[part.indices] * norms[owner] + shrinkage
        part.data[part.indices == owner] = 0  # an item is not its own neighbour
        columns.append(_nearest(part, neighbours))
    return sparse.hstack(columns, format="csr", dtype=np.float32)


def _nearest(similarity: sparse.csc_matrix, neighbours: int) -> sparse.csc_matrix:
    """Zero all but the largest values of each column, ties by lower row."""
    for low, high in zip(similarity.indptr[:-1], similarity.indptr[1:]):
        if high - low > neighbours:
            column: npt.NDArray[np.float32] = similarity.data[low:high]
            order = np.argsort(-column, kind="stable")
            column[order[neighbours:]] = 0
    similarity.eliminate_zeros()
    return similarity
