"""Targets of the student: the teacher's best items per user, and their shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.towers.ensemble.distillation.config import Distillation
from recsys.towers.ensemble.distillation.item_filter import ItemFilter
from recsys.towers.training.set_batches import flat_positions

_AT_ONCE = 1 << 25
"""Number of scores held at once."""


@dataclass(frozen=True, eq=False)
class DistillationTargets:
    """Warm items outside each user's history that the teacher scores highest.

    Attributes:
        offsets: Ranges of the users, int64 ``[users + 1]``: ``offsets[u] : offsets[u + 1]``.
        items: Rows of the items.
        shares: Weights of the items, float32; those of a user sum to 1.
    """

    offsets: npt.NDArray[np.int64]
    items: Rows
    shares: Vectors

    @classmethod
    def of(
        cls,
        log: Interactions,
        queries: Vectors,
        vectors: Vectors,
        config: Distillation,
        *,
        progress: Progress = silent,
    ) -> DistillationTargets:
        """Score with the teacher and select the best.

        With d_uj = q_u . v_j and f the filter, user u gives item j

            s f_uj + (1 - s) exp(d_uj / T)

        both terms divided by their root mean square over the items of u. The best ``items`` are
        the targets, weighted by their score to the power ``sharpness``.

        Args:
            log: Training interactions.
            queries: q, float32 ``[users, D]``.
            vectors: v, float32 ``[items, D]``.
            config: s, T and the rest.
            progress: Called with the number of users done.

        Example:
            >>> from recsys.ids import IdMap
            >>> users, items = IdMap.of("user", ["a", "b"]), IdMap.of("item", ["x", "y", "z"])
            >>> log = Interactions.of(users, items, user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 1])
            >>> towers = np.ones((2, 1), np.float32), np.ones((3, 1), np.float32)
            >>> targets = DistillationTargets.of(log, *towers, Distillation())
            >>> targets.offsets.tolist(), targets.items.tolist(), targets.shares.tolist()
            ([0, 0, 1], [0], [1.0])
        """
        found: list[tuple[Rows, Vectors]] = []
        for users, scores in _scores(log, queries, vectors, config):
            scores[:, ~log.warm] = 0
            for user, line in zip(users, scores):
                line[log.history(int(user))] = 0
                found.append(_best(line, config))
            progress("teacher", len(found), len(queries), "")
        sizes = [len(items) for items, _ in found]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        none = (np.zeros(0, np.int32), np.zeros(0, np.float32))
        items, shares = (np.concatenate(parts) for parts in zip(none, *found))
        return cls(offsets, items.astype(np.int32), shares.astype(np.float32))

    def select(self, users: Rows) -> tuple[Rows, Rows, Vectors]:
        """Targets of ``users``: index of the user, item and share, each ``[p]``."""
        of, positions = flat_positions(self.offsets, users)
        return of, self.items[positions], self.shares[positions]


def _scores(
    log: Interactions, queries: Vectors, vectors: Vectors, config: Distillation
) -> Iterator[tuple[Rows, Vectors]]:
    """Chunks of users, and the teacher's scores of every item."""
    item_filter = ItemFilter(log, config.item_filter) if config.filter_share > 0 else None
    step = max(1, _AT_ONCE // max(len(vectors), 1))
    for start in range(0, len(queries), step):
        users = np.arange(start, min(start + step, len(queries)), dtype=np.int32)
        logits = queries[users] @ vectors.T / np.float32(config.temperature)
        logits -= logits.max(axis=1, keepdims=True)
        scores = _scaled(np.exp(logits, out=logits)) * np.float32(1 - config.filter_share)
        if item_filter is not None:
            scores += np.float32(config.filter_share) * _scaled(item_filter.scores(users))
        yield users, scores


def _scaled(scores: Vectors) -> Vectors:
    """Each line divided by its root mean square."""
    squares = np.einsum("ij,ij->i", scores, scores) / max(scores.shape[1], 1)
    scaled: Vectors = scores / np.maximum(np.sqrt(squares), 1e-20)[:, None]
    return scaled


def _best(scores: Vectors, config: Distillation) -> tuple[Rows, Vectors]:
    count = min(config.items, int(np.count_nonzero(scores)))
    best = np.sort(np.argpartition(-scores, max(count - 1, 0))[:count]).astype(np.int32)
    chosen = scores[best].astype(np.float64)
    powers = (chosen / max(float(chosen.max(initial=0)), 1e-30)) ** config.sharpness
    return best, (powers / max(float(powers.sum()), 1e-30)).astype(np.float32)
