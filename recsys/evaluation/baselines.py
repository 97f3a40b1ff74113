"""What every model is held beside: chance, popularity, and a well-tuned item-kNN.

A model that does not beat these has not earned its cost (Ferrari Dacrema et al., 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.errors import InvalidRequestError
from recsys.evaluation.evaluation import evaluate
from recsys.ids import Mask, Vectors
from recsys.interactions import Interactions
from recsys.splits.held_out import HeldOutQueries, offsets_of, ranges


@dataclass(frozen=True)
class RandomScorer:
    """Chance: each query's scores are drawn anew, the same for the same query and seed.

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
            # Seeds must not be negative; a time before 1970 is.
            rng = np.random.default_rng([self.seed, user, time % 2**63, length])
            rng.random(dtype=np.float32, out=scores[row])
        return scores


@dataclass(frozen=True, eq=False)
class PopularityScorer:
    """Everyone gets what training met most.

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
        """float32 ``[q, items]``: how often each item was met; a read-only view."""
        counts = self.train.item_counts.astype(np.float32)
        return np.broadcast_to(counts, (len(queries), len(counts)))


class ItemKnnScorer:
    """Items that were met by the same users as the items of the history.

    The similarity of two items is the cosine of their binary columns of users, damped for rare
    pairs: ``both / (sqrt(a * b) + shrinkage)``. Each item keeps its nearest neighbours; its score
    is the sum of its similarities to those in the history (Deshpande and Karypis, 2004; shrinkage
    as in Ferrari Dacrema et al., 2019). Items for which no neighbour speaks follow behind all
    others, by popularity.

    The order of the history plays no part, but ``last`` can limit it to its latest items: on logs
    with strong sequences this baseline is much better so.

    Args:
        train: What to learn from.
        neighbours: How many each item keeps.
        shrinkage: In users; 0 is the plain cosine.
        last: How many of the latest items of a history speak; None is all.
        name: Under which name its figures appear.

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
        """The same settings, learned from another log of the same items."""
        return ItemKnnScorer(
            train,
            neighbours=self.neighbours,
            shrinkage=self.shrinkage,
            last=self.last,
            name=self.name,
        )

    def narrowed(self, *, neighbours: int, last: int | None) -> ItemKnnScorer:
        """The same similarities with fewer neighbours or another ``last``; nothing is learned."""
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
    """The item-kNN with the best recall@k on validation, and what was tried.

    First every shrinkage with every number of neighbours on whole histories, then ``last`` for the
    best of them. A baseline that nobody tuned flatters the model beside it.

    Args:
        train: What to learn from.
        validation: Queries to choose on; at most ``sample`` of them, drawn by ``seed``.
        candidates: Which items are ranked, bool ``[items]``.
        k: Of the recall that chooses.
        neighbours: To try.
        shrinkage: To try.
        last: To try.
        sample: How many queries.
        seed: Of the draw.
    """
    drawn = np.random.default_rng(seed).permutation(len(validation))[:sample]
    queries = validation.at(np.sort(drawn))
    tried: list[tuple[float, ItemKnnScorer]] = []

    def attempt(scorer: ItemKnnScorer) -> None:
        result = evaluate(
            scorer,
            queries,
            candidates=candidates,
            item_counts=train.item_counts,
            ks=(k,),
            resamples=1,
        )
        tried.append((result.figures[f"recall@{k}"], scorer))

    def best() -> ItemKnnScorer:
        return max(tried, key=lambda pair: pair[0])[1]

    for damp in shrinkage:
        widest = ItemKnnScorer(train, neighbours=max(neighbours), shrinkage=damp, last=last[0])
        for near in neighbours:
            attempt(widest.narrowed(neighbours=near, last=last[0]))
    chosen = best()
    for latest in last[1:]:
        attempt(chosen.narrowed(neighbours=chosen.neighbours, last=latest))
    return best(), [
        {
            "neighbours": each.neighbours,
            "shrinkage": each.shrinkage,
            "last": each.last,
            f"recall@{k}": found,
        }
        for found, each in tried
    ]


def _similarity(
    train: Interactions, neighbours: int, shrinkage: float, block: int = 1024
) -> sparse.csr_matrix:
    """float32 sparse ``[items, items]``: column i holds the similarities of i's neighbours."""
    shape = (len(train.users), len(train.items))
    ones = np.ones(len(train), np.float32)
    met = sparse.csr_matrix((ones, (train.user, train.item)), shape=shape)
    met.data[:] = 1  # an item met twice counts once
    by_item = met.T.tocsr()
    norms = np.sqrt(np.diff(by_item.indptr)).astype(np.float32)
    columns = []
    for low in range(0, shape[1], block):
        part = (by_item @ met[:, low : low + block]).tocsc()
        part.sort_indices()
        owner = np.repeat(np.arange(low, low + part.shape[1]), np.diff(part.indptr))
        part.data /= norms[part.indices] * norms[owner] + shrinkage
        part.data[part.indices == owner] = 0  # an item is not its own neighbour
        columns.append(_nearest(part, neighbours))
    return sparse.hstack(columns, format="csr", dtype=np.float32)


def _nearest(similarity: sparse.csc_matrix, neighbours: int) -> sparse.csc_matrix:
    """Keep the largest values of each column, ties by lower row."""
    for low, high in zip(similarity.indptr[:-1], similarity.indptr[1:]):
        if high - low > neighbours:
            column: npt.NDArray[np.float32] = similarity.data[low:high]
            order = np.argsort(-column, kind="stable")
            column[order[neighbours:]] = 0
    similarity.eliminate_zeros()
    return similarity
