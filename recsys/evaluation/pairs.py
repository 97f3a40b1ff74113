"""Pair networks as scorers, and pairs with known answers: was this item taken or not?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from recsys.errors import InvalidRequestError
from recsys.evaluation.scorers import Scorer
from recsys.features import FeatureBlock
from recsys.ids import Mask, Rows, Vectors
from recsys.ranking import (
    Bags,
    SearchedWords,
    SparsePairNetwork,
    VectorPairNetwork,
    probability,
)
from recsys.splits.held_out import HeldOutQueries

SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1, so that one certain mistake is no infinite loss."""


@dataclass(frozen=True, eq=False)
class VectorPairScorer:
    """Scores by the log-odds of a network over the mean of the history and the item.

    An item without a vector has the score -inf. A history without one is the mean of all items, for
    which the network has learned what is taken anyway.

    Attributes:
        network: What judges.
        block: The vectors it was trained on.
        candidates: Which items it scores, bool ``[items]``; the others get -inf. None is all: each
            costs a pass for every query.
        name: Under which name its figures appear.

    Example:
        See ``examples/train_pairs.py``.
    """

    network: VectorPairNetwork
    block: FeatureBlock = field(repr=False)
    candidates: Mask | None = field(default=None, repr=False)
    name: str = "vector_pairs"

    @cached_property
    def _scaled(self) -> FeatureBlock:
        return self.network.scaled(self.block)

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]``."""
        met = Bags(queries.history_rows, queries.history_offsets)
        users = self.network.user_vectors(self._scaled, met)
        rows = _rows(self.block.mask, self.candidates)
        odds = self.network.head.log_odds(users, self._scaled.vectors[rows])
        return _spread(odds, rows, len(self.block))


@dataclass(frozen=True, eq=False)
class SparsePairScorer:
    """Scores by the log-odds of a network that has learned its own items and words.

    An item that training never met has the score -inf.

    Attributes:
        network: What judges.
        searched: The searches of all users, of the whole log: of a query only those that lie before
            its moment are read.
        terms: Whether the search that led to the target is read too: "now" only where the
            evaluation is of search; it gives the answer away otherwise.
        candidates: As in :class:`VectorPairScorer`.
        name: Under which name its figures appear.

    Example:
        See ``examples/train_pairs.py``.
    """

    network: SparsePairNetwork
    searched: SearchedWords = field(repr=False)
    terms: Literal["before", "now"] = "before"
    candidates: Mask | None = field(default=None, repr=False)
    name: str = "sparse_pairs"

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]``."""
        met = Bags(queries.history_rows, queries.history_offsets)
        positions = self.searched.positions(queries.user, queries.time)
        now = queries.terms if self.terms == "now" else None
        words = self.searched.before(positions, users=queries.user, now=now)
        users = self.network.user_vectors(met, words)
        rows = _rows(self.network.warm, self.candidates)
        return _spread(self.network.log_odds(users, rows), rows, len(self.network.items))


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """Pairs of a query and an item, and whether the item was taken.

    Attributes:
        query: Which query, int64 ``[n]``, ascending.
        item: Which item, int32 ``[n]``.
        taken: bool ``[n]``.
    """

    query: np.ndarray
    item: Rows
    taken: Mask


def sample_pairs(
    queries: HeldOutQueries, *, candidates: Mask, negatives: int = 4, seed: int = 0
) -> LabelledPairs:
    """Each target, and beside it items that are neither in the history nor a target.

    Drawn uniformly from the candidates; a query with fewer left gets those.

    Args:
        queries: With their targets.
        candidates: Which items may be drawn, bool ``[items]``.
        negatives: How many beside each target.
        seed: Of the draw.

    Raises:
        InvalidRequestError: No queries, or ``negatives`` below 1.

    Example:
        >>> queries = HeldOutQueries.of(user=[0], histories=[[0]], targets=[[2]])
        >>> pairs = sample_pairs(queries, candidates=np.ones(4, bool), negatives=9)
        >>> sorted(zip(pairs.item.tolist(), pairs.taken.tolist()))
        [(1, False), (2, True), (3, False)]
    """
    if not len(queries) or negatives < 1:
        raise InvalidRequestError(
            f"pairs need queries and 1 or more negatives; got {len(queries)} and {negatives}"
        )
    rng = np.random.default_rng(seed)
    query, item, taken = [], [], []
    for at in range(len(queries)):
        targets = queries.targets(at)
        free = candidates.copy()
        free[queries.history(at)] = False
        free[targets] = False
        others = np.flatnonzero(free)
        drawn = rng.choice(others, min(negatives * len(targets), len(others)), replace=False)
        query.append(np.full(len(targets) + len(drawn), at))
        item.append(np.concatenate([targets, drawn]))
        taken.append(np.arange(len(targets) + len(drawn)) < len(targets))
    return LabelledPairs(
        np.concatenate(query), np.concatenate(item).astype(np.int32), np.concatenate(taken)
    )


def evaluate_pairs(
    scorer: Scorer,
    queries: HeldOutQueries,
    pairs: LabelledPairs,
    *,
    scores: Literal["log-odds", "order"] = "log-odds",
    batch: int = 256,
) -> Mapping[str, float]:
    """How well a scorer tells what was taken from what was not.

    ``auc`` is the share of (taken, not taken) pairs of pairs, over all queries, that stand in the
    right order, ties half. ``log_loss`` is the mean of -log p(what happened), ``base_log_loss``
    that of always saying the share that was taken.

    Args:
        scorer: What is judged.
        queries: Of which the pairs are.
        pairs: See :func:`sample_pairs`.
        scores: Whether the scores are log-odds, which have a log loss, or mean an order alone.
        batch: How many queries are scored at once.

    Raises:
        InvalidRequestError: All pairs were taken, or none.
    """
    from sklearn.metrics import log_loss, roc_auc_score

    if pairs.taken.all() or not pairs.taken.any():
        raise InvalidRequestError(
            "an AUC needs pairs that were taken and pairs that were not; all "
            f"{len(pairs.taken)} are alike"
        )
    found = np.empty(len(pairs.item), np.float32)
    for low in range(0, len(queries), batch):
        first, last = np.searchsorted(pairs.query, [low, low + batch])
        part = scorer.score(queries.slice(low, low + batch))
        found[first:last] = part[pairs.query[first:last] - low, pairs.item[first:last]]
    order = np.maximum(found, np.finfo(np.float32).min)  # -inf stands behind all others
    figures = {"auc": float(roc_auc_score(pairs.taken, order))}
    if scores == "log-odds":
        share = pairs.taken.mean()
        likely = np.clip(probability(order), SMALLEST, 1 - SMALLEST)
        figures["log_loss"] = float(log_loss(pairs.taken, likely))
        figures["base_log_loss"] = float(log_loss(pairs.taken, np.full(len(likely), share)))
    return figures


def _rows(there: Mask, candidates: Mask | None) -> Rows:
    return np.flatnonzero(there if candidates is None else there & candidates).astype(np.int32)


def _spread(scores: Vectors, rows: Rows, items: int) -> Vectors:
    """Scores of some rows as scores of all, -inf for the others."""
    out = np.full((len(scores), items), -np.inf, np.float32)
    out[:, rows] = scores
    return out
