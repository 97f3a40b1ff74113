"""Evaluate a scorer on held-out queries by ranking the whole catalogue, batch by batch.

Metrics over sampled negatives are avoided: they can change the order of the models (Krichene and
Rendle, 2020).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError
from recsys.evaluation import metrics
from recsys.evaluation.bootstrap import Interval, bootstrap_intervals
from recsys.evaluation.metrics import Counts, Values
from recsys.evaluation.ranking import Ranking, Scores, mask_scores, rank, target_hits
from recsys.evaluation.scorers import Scorer
from recsys.ids import Mask, Rows
from recsys.interactions import EVENT
from recsys.progress import Progress, silent
from recsys.splits import Split
from recsys.splits.held_out import HeldOutQueries, offsets_of, ranges


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics of one scorer on one set of queries.

    Attributes:
        name: Name of the scorer.
        figures: Means over queries: ``recall@k``, ``hr@k``, ``ndcg@k``, ``mrr@k``, ``map@k``,
            ``coverage@k``; ``recall_of_SLICE@k`` for the warm, cold, head, middle and tail targets,
            ranked among *all* items; ``cold_recall@k`` for cold targets ranked among the *cold*
            items; ``recall_of_SLICE@k`` and ``ndcg_of_SLICE@k`` for the targets of each kind of
            event (``event_KIND``) and for new, light and heavy users (``new_users``, see
            :func:`recsys.evaluation.metrics.user_segments`). Slices without targets are left out.
        intervals: 95% bootstrap interval of each figure except coverage.
        counts: Numbers of queries, targets, candidates and queries per slice; ``tied_queries``,
            whose longest list ends within equal scores; ``unreachable_targets``, which are no
            candidates or in the query's own history.
        values: Metrics per query, float32 ``[q]``, NaN where a query has no such target.
        seconds: Duration of the evaluation.
    """

    name: str
    figures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    counts: Mapping[str, int]
    values: Mapping[str, npt.NDArray[np.float32]] = field(repr=False)
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Everything except ``name`` and ``values``, as JSON values."""
        return {
            "figures": dict(self.figures),
            "intervals": {metric: list(interval) for metric, interval in self.intervals.items()},
            "counts": dict(self.counts),
            "seconds": round(self.seconds, 3),
        }


def evaluate_queries(
    scorer: Scorer,
    queries: HeldOutQueries,
    *,
    candidates: Mask,
    item_counts: Counts,
    user_counts: Counts | None = None,
    ks: Sequence[int] = (10, 20, 50, 100),
    batch: int = 256,
    seed: int = 0,
    resamples: int = 1000,
    progress: Progress = silent,
) -> Evaluation:
    """Rank all candidates except the query's history, for each query, and measure.

    Args:
        candidates: Items to rank, bool ``[items]``.
        item_counts: Number of training interactions per item, int ``[items]``; items without any
            are cold.
        user_counts: Number of training interactions per user, int ``[users]``; None for no figures
            of users.
        ks: Lengths of the lists that the metrics are taken at.
        batch: Number of queries per batch; needs about ``9 * batch * items`` bytes of memory.

    Raises:
        InvalidRequestError: No queries, or a k or batch below 1.
        DataError: The scores have the wrong shape, or one is NaN or +inf.

    Example:
        >>> from recsys.evaluation.scorers import VectorScorer
        >>> eye = np.eye(3, dtype=np.float32)
        >>> queries = HeldOutQueries.of(user=[0, 1], histories=[[0], [1]], targets=[[1], [0]])
        >>> always_1 = VectorScorer("always_1", eye, lambda some: eye[[1] * len(some)])
        >>> result = evaluate_queries(always_1, queries, candidates=np.ones(3, bool),
        ...     item_counts=np.array([2, 1, 1]), ks=(1,))
        >>> result.figures["recall@1"]
        0.5
    """
    if not len(queries):
        raise InvalidRequestError("there are no queries to evaluate", field="queries")
    if batch < 1 or not ks or min(ks) < 1:
        raise InvalidRequestError(f"batch and every k must be 1 or more; got {batch}, {list(ks)}")
    began = time.perf_counter()
    depth, cold = max(ks), item_counts == 0
    rankings, cold_positions, repeated = [], [], []
    for low in range(0, len(queries), batch):
        part = queries.slice(low, low + batch)
        scores = mask_scores(np.asarray(scorer.score(part)), part, candidates, name=scorer.name)
        rankings.append(rank(scores, depth, part.target_rows, part.target_offsets))
        cold_positions.append(_cold_positions(scores, part, depth, cold, candidates))
        repeated.append(_in_history(part))
        progress(f"evaluate {scorer.name}", min(low + batch, len(queries)), len(queries))
    ranking = Ranking.concatenated(rankings)
    of_items = {"warm": ~cold, "cold": cold, **metrics.popularity_slices(item_counts)}
    slices = {name: mask[queries.target_rows] for name, mask in of_items.items()}
    ranked_slices = _event_slices(queries) | _user_slices(queries, user_counts)
    values = _values(ranking, queries, ks)
    values |= _slice_values(ranking, queries, ks, slices | ranked_slices, ranked_slices.keys())
    values |= _cold_values(np.concatenate(cold_positions), queries, ks, cold)
    finite = {name: column[np.isfinite(column)] for name, column in values.items()}
    means = {name: float(column.mean()) for name, column in finite.items() if len(column)}
    reachable = candidates[queries.target_rows] & ~np.concatenate(repeated)
    size = int(candidates.sum())
    coverage = {f"coverage@{k}": metrics.coverage(ranking.rows, ranking.valid, k, size) for k in ks}
    return Evaluation(
        name=scorer.name,
        figures={**means, **coverage},
        intervals=bootstrap_intervals(values, seed=seed, resamples=resamples),
        counts={
            "queries": len(queries),
            "targets": len(queries.target_rows),
            "candidates": size,
            "tied_queries": int(ranking.tied.sum()),
            "unreachable_targets": int((~reachable).sum()),
            **{
                f"{name}_queries": len(finite[f"recall_of_{name}@{depth}"])
                for name in (*slices, *ranked_slices)
            },
        },
        values={name: column.astype(np.float32) for name, column in values.items()},
        seconds=time.perf_counter() - began,
    )


def evaluate(
    scorer: Scorer, parts: Split, part: Literal["validation", "test"] = "test", **options: Any
) -> Evaluation:
    """Evaluate on the test or validation queries of a split.

    Options are those of :func:`evaluate_queries`. Items are warm, and slices made, by the log of
    the training that the part belongs to: ``train`` for validation, ``final`` for the test.
    """
    validation = part == "validation"
    log = parts.train if validation else parts.final
    return evaluate_queries(
        scorer,
        parts.validation if validation else parts.test,
        candidates=parts.candidates,
        item_counts=log.item_counts,
        user_counts=np.diff(log.offsets),
        **options,
    )


def difference(
    first: Evaluation, second: Evaluation, metric: str, *, seed: int = 0
) -> tuple[float, Interval]:
    """Mean difference of two evaluations of the same queries, with its 95% interval.

    Raises:
        InvalidRequestError: The metric is missing, no query has it in both, or the numbers of
            queries differ.
    """
    found = differences(first, second, [metric], seed=seed)
    if metric not in found:
        raise InvalidRequestError(
            f"'{first.name}' and '{second.name}' have no common '{metric}' on the same queries; "
            f"metrics: {', '.join(first.values)}",
            field="metric",
        )
    return found[metric]


def differences(
    first: Evaluation,
    second: Evaluation,
    metrics: Iterable[str] | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    progress: Progress = silent,
) -> dict[str, tuple[float, Interval]]:
    """Mean differences of two evaluations of the same queries, each with its 95% interval.

    All metrics share the same resamples of the queries (a paired bootstrap). Metrics that one
    evaluation lacks, or that no query has in both, are left out.

    Args:
        metrics: Metrics to compare; by default all that are known per query.
    """
    gaps: dict[str, Values] = {}
    for metric in first.values if metrics is None else metrics:
        one, other = first.values.get(metric), second.values.get(metric)
        if one is not None and other is not None and one.shape == other.shape:
            gap = (one - other).astype(np.float64)
            if np.isfinite(gap).any():
                gaps[metric] = gap
    intervals = bootstrap_intervals(gaps, seed=seed, resamples=resamples, progress=progress)
    return {metric: (float(np.nanmean(gap)), intervals[metric]) for metric, gap in gaps.items()}


def _values(ranking: Ranking, queries: HeldOutQueries, ks: Sequence[int]) -> dict[str, Values]:
    """Metrics per query over all targets."""
    offsets = queries.target_offsets
    hits, targets = target_hits(ranking.positions, offsets, max(ks)), np.diff(offsets)
    values: dict[str, Values] = {}
    for k in ks:
        values[f"recall@{k}"] = metrics.recall(hits, targets, k)
        values[f"hr@{k}"] = metrics.hit_rate(hits, k)
        values[f"ndcg@{k}"] = metrics.ndcg(hits, targets, k)
        values[f"mrr@{k}"] = metrics.mrr(hits, k)
        values[f"map@{k}"] = metrics.average_precision(hits, targets, k)
    return values


def _slice_values(
    ranking: Ranking,
    queries: HeldOutQueries,
    ks: Sequence[int],
    slices: Mapping[str, Mask],
    with_ndcg: Collection[str],
) -> dict[str, Values]:
    """Recall per query over the targets of each slice, and NDCG for those of ``with_ndcg``."""
    values: dict[str, Values] = {}
    for name, keep in slices.items():
        counts = _per_query(queries, keep)
        hits = target_hits(ranking.positions, queries.target_offsets, max(ks), keep)
        for k in ks:
            found = {"recall": metrics.recall(hits, counts, k)}
            if name in with_ndcg:
                found["ndcg"] = metrics.ndcg(hits, counts, k)
            for metric, column in found.items():
                values[f"{metric}_of_{name}@{k}"] = np.where(counts > 0, column, np.nan)
    return values


def _event_slices(queries: HeldOutQueries) -> dict[str, Mask]:
    """Targets of each kind of event, bool ``[t]``."""
    if queries.target_events is None:
        return {}
    kinds = queries.context[EVENT]
    rows = np.unique(queries.target_events)
    return {f"event_{kinds.id(int(row))}": queries.target_events == row for row in rows}


def _user_slices(queries: HeldOutQueries, user_counts: Counts | None) -> dict[str, Mask]:
    """Targets of the users of each segment, bool ``[t]``."""
    if user_counts is None:
        return {}
    users = queries.user[queries.target_queries]
    return {name: mask[users] for name, mask in metrics.user_segments(user_counts).items()}


def _cold_positions(
    scores: Scores, queries: HeldOutQueries, depth: int, cold: Mask, candidates: Mask
) -> Rows:
    """Positions of the cold targets among the cold candidates, int32 ``[cold targets]``."""
    rows, is_cold = np.flatnonzero(cold & candidates), cold[queries.target_rows]
    counts = _per_query(queries, is_cold)
    # Targets that are no candidates are ranked in one more column, which is never listed.
    column = np.full(len(cold), len(rows), np.int32)
    column[rows] = np.arange(len(rows))
    cold_scores = np.full((np.count_nonzero(counts), len(rows) + 1), -np.inf, np.float32)
    cold_scores[:, :-1] = scores[np.ix_(counts > 0, rows)]
    targets = column[queries.target_rows[is_cold]]
    return rank(cold_scores, depth, targets, offsets_of(counts[counts > 0])).positions


def _cold_values(
    positions: Rows, queries: HeldOutQueries, ks: Sequence[int], cold: Mask
) -> dict[str, Values]:
    """Recall of cold targets among the cold items; NaN for queries without one."""
    counts = _per_query(queries, cold[queries.target_rows])
    if not counts.any():
        return {}
    hits = target_hits(positions, offsets_of(counts), max(ks))
    return {
        f"cold_recall@{k}": np.where(counts > 0, metrics.recall(hits, counts, k), np.nan)
        for k in ks
    }


def _per_query(queries: HeldOutQueries, keep: Mask) -> npt.NDArray[np.int64]:
    """Number of targets per query where ``keep`` (bool ``[t]``) is True, int64 ``[q]``."""
    return np.bincount(queries.target_queries[keep], minlength=len(queries))


def _in_history(queries: HeldOutQueries) -> Mask:
    """Whether each target is in the history of its query, bool ``[t]``."""
    width = int(max(queries.pool.max(initial=0), queries.target_rows.max(initial=0))) + 1
    owner = np.repeat(np.arange(len(queries)), queries.history_lengths)
    rows = queries.pool[ranges(queries.history_start, queries.history_lengths)]
    return np.isin(queries.target_queries * width + queries.target_rows, owner * width + rows)
