"""Pair networks as scorers, and the evaluation of labelled (query, item) pairs.

An example is ``examples/train_pairs.py``.
"""

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
"""Minimum distance of probabilities from 0 and 1, which keeps the log loss finite."""


@dataclass(frozen=True, eq=False)
class VectorPairScorer:
    """Log-odds of a network over the mean of the history's vectors and the item's vector.

    An item without a vector scores -inf. A history without vectors is the mean of all items, which
    the network has learned to score.

    Attributes:
        network: The trained network.
        block: The vectors that it was trained on.
        candidates: Items to score, bool ``[items]``; others score -inf. None for all.
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
        histories = Bags(queries.history_rows, queries.history_offsets)
        users = self.network.user_vectors(self._scaled, histories)
        rows = _rows(self.block.mask, self.candidates)
        log_odds = self.network.head.log_odds(users, self._scaled.vectors[rows])
        return _for_all_items(log_odds, rows, len(self.block))


@dataclass(frozen=True, eq=False)
class SparsePairScorer:
    """Log-odds of a network with its own vectors of items and words.

    An item without training interactions scores -inf.

    Attributes:
        network: The trained network.
        searched: Searches of all users in the whole log; a query reads only its earlier ones.
        terms: Whether to read the search terms of the target as well ("now"), for evaluating
            search; otherwise they would reveal the target.
        candidates: As in :class:`VectorPairScorer`.
    """

    network: SparsePairNetwork
    searched: SearchedWords = field(repr=False)
    terms: Literal["before", "now"] = "before"
    candidates: Mask | None = field(default=None, repr=False)
    name: str = "sparse_pairs"

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, items]``."""
        histories = Bags(queries.history_rows, queries.history_offsets)
        positions = self.searched.positions(queries.user, queries.time)
        now = queries.terms if self.terms == "now" else None
        words = self.searched.before(positions, users=queries.user, now=now)
        users = self.network.user_vectors(histories, words)
        rows = _rows(self.network.warm, self.candidates)
        log_odds = self.network.log_odds(users, rows)
        return _for_all_items(log_odds, rows, len(self.network.items))


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """Pairs of a query and an item, with binary labels.

    Attributes:
        query: Index of the query, int64 ``[n]``, ascending.
        item: Row of the item, int32 ``[n]``.
        positive: Whether the item is a target of the query, bool ``[n]``.
    """

    query: np.ndarray
    item: Rows
    positive: Mask


def sample_pairs(
    queries: HeldOutQueries, *, candidates: Mask, negatives: int = 4, seed: int = 0
) -> LabelledPairs:
    """All targets, and ``negatives`` items per target, fewer if there are not enough candidates,
    drawn uniformly from the candidates that are neither targets nor in the history.

    Raises:
        InvalidRequestError: There are no queries, or ``negatives`` is below 1.

    Example:
        >>> queries = HeldOutQueries.of(user=[0], histories=[[0]], targets=[[2]])
        >>> pairs = sample_pairs(queries, candidates=np.ones(4, bool), negatives=9)
        >>> sorted(zip(pairs.item.tolist(), pairs.positive.tolist()))
        [(1, False), (2, True), (3, False)]
    """
    if not len(queries) or negatives < 1:
        raise InvalidRequestError(
            f"pairs need queries and 1 or more negatives; got {len(queries)} and {negatives}"
        )
    rng = np.random.default_rng(seed)
    query, item, positive = [], [], []
    for at in range(len(queries)):
        targets = queries.targets(at)
        allowed = candidates.copy()
        allowed[queries.history(at)] = False
        allowed[targets] = False
        others = np.flatnonzero(allowed)
        drawn = rng.choice(others, min(negatives * len(targets), len(others)), replace=False)
        query.append(np.full(len(targets) + len(drawn), at))
        item.append(np.concatenate([targets, drawn]))
        positive.append(np.arange(len(targets) + len(drawn)) < len(targets))
    return LabelledPairs(
        np.concatenate(query), np.concatenate(item).astype(np.int32), np.concatenate(positive)
    )


def evaluate_pairs(
    scorer: Scorer,
    queries: HeldOutQueries,
    pairs: LabelledPairs,
    *,
    scores: Literal["log-odds", "order"] = "log-odds",
    batch: int = 256,
) -> Mapping[str, float]:
    """AUC and log loss of a scorer on labelled pairs, over all queries together.

    ``auc`` is the area under the ROC curve; ``log_loss`` the mean negative log-likelihood of the
    labels, and ``base_log_loss`` that of predicting the share of positives.

    Without ``scores="log-odds"`` there is no log loss.

    Raises:
        InvalidRequestError: All labels are equal.
    """
    from sklearn.metrics import log_loss, roc_auc_score

    if pairs.positive.all() or not pairs.positive.any():
        raise InvalidRequestError(
            f"an AUC needs positive and negative pairs; all {len(pairs.positive)} are alike"
        )
    found = np.empty(len(pairs.item), np.float32)
    for low in range(0, len(queries), batch):
        first, last = np.searchsorted(pairs.query, [low, low + batch])
        part = scorer.score(queries.slice(low, low + batch))
        found[first:last] = part[pairs.query[first:last] - low, pairs.item[first:last]]
    order = np.maximum(found, np.finfo(np.float32).min)  # -inf is below all others
    figures = {"auc": float(roc_auc_score(pairs.positive, order))}
    if scores == "log-odds":
        share = pairs.positive.mean()
        predicted = np.clip(probability(order), SMALLEST, 1 - SMALLEST)
        figures["log_loss"] = float(log_loss(pairs.positive, predicted))
        figures["base_log_loss"] = float(log_loss(pairs.positive, np.full(len(predicted), share)))
    return figures


def _rows(available: Mask, candidates: Mask | None) -> Rows:
    scored = available if candidates is None else available & candidates
    return np.flatnonzero(scored).astype(np.int32)


def _for_all_items(scores: Vectors, rows: Rows, items: int) -> Vectors:
    """Scores of some rows as scores of all items, -inf for the others."""
    out = np.full((len(scores), items), -np.inf, np.float32)
    out[:, rows] = scores
    return out
