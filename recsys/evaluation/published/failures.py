"""Failed queries: those whose held-out items are all beyond the first k, with the exact ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.evaluation import metrics
from recsys.evaluation.ranking import Scores, mask_scores, rank
from recsys.evaluation.scorers import Scorer
from recsys.ids import IdMap, Mask
from recsys.progress import Progress, silent
from recsys.splits import Split
from recsys.splits.held_out import HeldOutQueries

SAMPLED = 2_000
"""Number of failed queries, drawn by the seed, of which the worst are kept."""
_BATCH = 64
_HISTORY, _EXPECTED, _ANSWERED = 12, 10, 6


@dataclass(frozen=True)
class FailedQuery:
    """A query without a held-out item among the first k.

    Attributes:
        user_id: Id of the user.
        history_ids: The latest items of the history, at most 12, oldest first.
        history_length: Length of the history.
        terms: Search terms that led to the held-out items, or "".
        expected: Id, rank among all candidates (0 for no candidate) and segments of each held-out
            item, at most 10, the best rank first.
        answered_ids: The first 6 items of the answer.
        segments: Segments of the user.

    Example:
        >>> FailedQuery("ann", ("rug",), 1, "", (("lamp", 57, ("tail",)),), ("mug",), ()).expected
        (('lamp', 57, ('tail',)),)
    """

    user_id: str
    history_ids: tuple[str, ...]
    history_length: int
    terms: str
    expected: tuple[tuple[str, int, tuple[str, ...]], ...]
    answered_ids: tuple[str, ...]
    segments: tuple[str, ...]


def failed_queries(
    scorer: Scorer,
    parts: Split,
    failed: Mask,
    *,
    users: IdMap,
    items: IdMap,
    count: int,
    seed: int = 0,
    progress: Progress = silent,
) -> list[FailedQuery]:
    """The ``count`` worst of a sample of the failed test queries, the worst first.

    The order is that of the best rank of a held-out item. Queries whose held-out items are all no
    candidates, or in the history, are left out.

    Args:
        scorer: Scorer whose answers are shown.
        parts: Split, whose test queries are read.
        failed: Whether each test query failed, bool ``[q]``.
        users: Ids of the users.
        items: Ids of the items.
        count: Number of queries to return.
        seed: Seed of the sample.
        progress: Receives reports of progress.
    """
    rows = np.flatnonzero(failed)
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(rows, min(SAMPLED, len(rows)), replace=False))
    kinds = _Segments.of(parts)
    found: list[tuple[int, FailedQuery]] = []
    for low in range(0, len(drawn), _BATCH):
        queries = parts.test.at(drawn[low : low + _BATCH])
        scores = mask_scores(scorer.score(queries), queries, parts.candidates, name=scorer.name)
        for at in range(len(queries)):
            query = queries.slice(at, at + 1)
            ranks = _ranks(scores[at], query)
            if ranks[0][0]:
                each = _failed(query, scores[at : at + 1], ranks, users, items, kinds)
                found.append((ranks[0][0], each))
        found = sorted(found, key=lambda each: -each[0])[:count]  # stable: ties by position
        progress("failed queries", min(low + _BATCH, len(drawn)), len(drawn))
    return [query for _, query in found]


@dataclass(frozen=True, eq=False)
class _Segments:
    """Names of the segments of items and users."""

    of_items: Mapping[str, Mask]
    of_users: Mapping[str, Mask]

    @classmethod
    def of(cls, parts: Split) -> _Segments:
        counts = parts.final.item_counts
        return cls(
            {"cold": counts == 0, **metrics.popularity_slices(counts)},
            metrics.user_segments(np.diff(parts.final.offsets)),
        )

    def of_item(self, row: int) -> tuple[str, ...]:
        return tuple(name for name, mask in self.of_items.items() if mask[row])

    def of_user(self, row: int) -> tuple[str, ...]:
        return tuple(name for name, mask in self.of_users.items() if mask[row])


def _ranks(scores: Scores, query: HeldOutQueries) -> list[tuple[int, int]]:
    """Rank and row of each target, the best first; rank 0, at the end, for no candidate."""
    found = []
    for row in query.targets(0).tolist():
        score = scores[row]
        is_candidate = bool(score > -np.inf)
        found.append((int((scores >= score).sum()) if is_candidate else 0, row))
    return sorted(found, key=lambda each: (each[0] == 0, each))


def _failed(
    query: HeldOutQueries,
    scores: Scores,
    ranks: list[tuple[int, int]],
    users: IdMap,
    items: IdMap,
    kinds: _Segments,
) -> FailedQuery:
    ranking = rank(scores, _ANSWERED, query.target_rows, query.target_offsets)
    user, history = int(query.user[0]), query.history(0)
    return FailedQuery(
        users.id(user),
        tuple(items.ids(history[-_HISTORY:])),
        len(history),
        query.phrases[int(query.terms[0])],
        tuple((items.id(row), at, kinds.of_item(row)) for at, row in ranks[:_EXPECTED]),
        tuple(items.ids(ranking.rows[0][ranking.valid[0]])),
        kinds.of_user(user),
    )
