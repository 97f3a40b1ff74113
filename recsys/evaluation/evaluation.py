"""Judge a scorer on queries with known answers: rank the whole catalogue, batch by batch.

Never sampled negatives: figures from those do not keep the order of the models (Krichene and
Rendle, 2020).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError
from recsys.evaluation import metrics
from recsys.evaluation.bootstrap import Interval, bootstrap_intervals
from recsys.evaluation.metrics import Counts, Values
from recsys.evaluation.ranking import Ranking, mask_scores, rank, target_hits
from recsys.evaluation.scorers import Scorer
from recsys.ids import Mask
from recsys.progress import Progress, silent
from recsys.splits.held_out import HeldOut, offsets_of, ranges

SLICES = ("warm", "cold", "head", "middle", "tail")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one scorer reached on one set of queries.

    Attributes:
        name: The scorer's.
        figures: From metric to number: ``recall@k``, ``hr@k``, ``ndcg@k``, ``mrr@k``,
            ``map@k``, ``coverage@k``; ``recall_of_warm@k`` and the like for targets that are warm,
            cold, or of the head, middle or tail of popularity, ranked among *all* items;
            ``cold_recall@k`` for cold targets ranked among the *cold* items alone. A slice without
            a target has none.
        intervals: The 95% bootstrap interval of each figure but coverage.
        counts: Queries, targets, candidates; queries of each slice; ``tied_queries``, where equal
            scores let the row decide what the longest list holds; ``unreachable_targets``, which
            are no candidates or in their query's own history.
        values: The same metrics query by query, float32 ``[q]``, NaN where a query does not count.
        seconds: How long it took.
    """

    name: str
    figures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    counts: Mapping[str, int]
    values: Mapping[str, npt.NDArray[np.float32]] = field(repr=False)
    seconds: float


def evaluate(
    scorer: Scorer,
    queries: HeldOut,
    *,
    candidates: Mask,
    item_counts: Counts,
    ks: Sequence[int] = (10, 20, 50, 100),
    batch: int = 256,
    seed: int = 0,
    resamples: int = 1000,
    progress: Progress = silent,
) -> Evaluation:
    """Rank all candidates for each query, leave out its history exactly, and measure.

    Args:
        scorer: What is judged; it is asked for ``batch`` queries at a time.
        queries: With their targets.
        candidates: Which items are ranked, bool ``[items]``.
        item_counts: Number of training interactions per item, int ``[items]``; items without any
            are cold.
        ks: How many places count, one figure of each metric for each.
        batch: Bounds the memory: about ``9 * batch * items`` bytes.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.
        progress: Told after each batch.

    Raises:
        InvalidRequestError: No queries, or a k or batch below 1.
        DataError: The scores have the wrong shape, or one is NaN or +inf.

    Example:
        >>> from recsys.evaluation.scorers import VectorScorer
        >>> eye = np.eye(3, dtype=np.float32)
        >>> queries = HeldOut.of(user=[0, 1], histories=[[0], [1]], targets=[[1], [0]])
        >>> always_1 = VectorScorer("always_1", eye, lambda some: eye[[1] * len(some)])
        >>> result = evaluate(always_1, queries, candidates=np.ones(3, bool),
        ...     item_counts=np.array([2, 1, 1]), ks=(1,))
        >>> result.figures["recall@1"]
        0.5
    """
    if not len(queries):
        raise InvalidRequestError("there are no queries to evaluate", field="queries")
    if batch < 1 or not ks or min(ks) < 1:
        raise InvalidRequestError(f"batch and every k must be 1 or more; got {batch}, {list(ks)}")
    begun = time.perf_counter()
    depth, warm = max(ks), item_counts > 0
    cold = _cold_part(queries, warm)
    everything, among_cold = [], []
    for low in range(0, len(queries), batch):
        part = queries.slice(low, low + batch)
        scores = mask_scores(np.asarray(scorer.score(part)), part, candidates, name=scorer.name)
        everything.append(_ranked(scores, part, depth))
        mine = (cold.queries >= low) & (cold.queries < low + batch)
        if mine.any():
            rows = np.flatnonzero(candidates & ~warm)
            within = scores[np.ix_(cold.queries[mine] - low, rows)]
            among_cold.append(_ranked(within, cold.part.take(mine), depth, rows))
        progress(f"evaluate {scorer.name}", min(low + batch, len(queries)), len(queries))
    ranking = _joined(everything)
    slices = {"warm": warm, "cold": ~warm, **metrics.popularity_slices(item_counts)}
    values = _values(ranking, queries, ks, slices)
    values.update(_cold_values(among_cold, cold, len(queries), ks))
    means = {name: _mean(column) for name, column in values.items()}
    reachable = candidates[queries.target_rows] & ~_seen(queries)
    return Evaluation(
        name=scorer.name,
        figures={
            **{name: mean for name, mean in means.items() if mean is not None},
            **{
                f"coverage@{k}": metrics.coverage(
                    ranking.rows, ranking.valid, k, int(candidates.sum())
                )
                for k in ks
            },
        },
        intervals=bootstrap_intervals(values, seed=seed, resamples=resamples),
        counts={
            "queries": len(queries),
            "targets": len(queries.target_rows),
            "candidates": int(candidates.sum()),
            "tied_queries": int(ranking.tied.sum()),
            "unreachable_targets": int((~reachable).sum()),
            **{
                f"{name}_queries": int(np.isfinite(values[f"recall_of_{name}@{depth}"]).sum())
                for name in SLICES
            },
        },
        values={name: column.astype(np.float32) for name, column in values.items()},
        seconds=time.perf_counter() - begun,
    )


def difference(
    first: Evaluation, second: Evaluation, metric: str, *, seed: int = 0
) -> tuple[float, Interval]:
    """By how much the first is better than the second on the same queries, with its 95% interval.

    Raises:
        InvalidRequestError: The metric is not among both, or the queries differ in number.
    """
    ours, theirs = first.values.get(metric), second.values.get(metric)
    if ours is None or theirs is None or ours.shape != theirs.shape:
        raise InvalidRequestError(
            f"'{first.name}' and '{second.name}' have no common '{metric}' on the same queries; "
            f"metrics: {', '.join(first.values)}",
            field="metric",
        )
    gap = (ours - theirs).astype(np.float64)
    return float(np.nanmean(gap)), bootstrap_intervals({metric: gap}, seed=seed)[metric]


@dataclass(frozen=True, eq=False)
class _ColdPart:
    """The queries with cold targets, and only those targets."""

    queries: npt.NDArray[np.int64]
    part: HeldOut


def _cold_part(queries: HeldOut, warm: Mask) -> _ColdPart:
    keep = ~warm[queries.target_rows]
    lengths = _per_query(queries, keep)
    part = replace(
        queries, target_rows=queries.target_rows[keep], target_offsets=offsets_of(lengths)
    )
    return _ColdPart(np.flatnonzero(lengths), part.take(lengths > 0))


def _ranked(
    scores: npt.NDArray[np.float32],
    part: HeldOut,
    depth: int,
    columns: npt.NDArray[np.int64] | None = None,
) -> Ranking:
    """Rank, where ``columns`` says which item row each column of ``scores`` is (None: its own)."""
    targets = part.target_rows
    if columns is None:
        return rank(scores, depth, target_rows=targets, target_offsets=part.target_offsets)
    # A target that is no candidate has no column: it gets one that cannot be shown.
    outside = np.full((len(scores), 1), -np.inf, np.float32)
    at = np.minimum(np.searchsorted(columns, targets), len(columns))
    known = np.append(columns, -1)[at] == targets
    return rank(
        np.concatenate([scores, outside], axis=1),
        depth,
        target_rows=np.where(known, at, len(columns)).astype(np.int32),
        target_offsets=part.target_offsets,
    )


def _joined(parts: Sequence[Ranking]) -> Ranking:
    return Ranking(
        rows=np.concatenate([part.rows for part in parts]),
        valid=np.concatenate([part.valid for part in parts]),
        positions=np.concatenate([part.positions for part in parts]),
        tied=np.concatenate([part.tied for part in parts]),
    )


def _values(
    ranking: Ranking, queries: HeldOut, ks: Sequence[int], slices: Mapping[str, Mask]
) -> dict[str, Values]:
    """Every metric query by query, over all targets and over those of each slice."""
    offsets, depth = queries.target_offsets, max(ks)
    hits, targets = target_hits(ranking.positions, offsets, depth), np.diff(offsets)
    values: dict[str, Values] = {}
    for k in ks:
        values[f"recall@{k}"] = metrics.recall(hits, targets, k)
        values[f"hr@{k}"] = metrics.hit_rate(hits, k)
        values[f"ndcg@{k}"] = metrics.ndcg(hits, targets, k)
        values[f"mrr@{k}"] = metrics.mrr(hits, k)
        values[f"map@{k}"] = metrics.average_precision(hits, targets, k)
    for name, mask in slices.items():
        keep = mask[queries.target_rows]
        counts = _per_query(queries, keep)
        of_slice = target_hits(ranking.positions, offsets, depth, keep)
        for k in ks:
            found = metrics.recall(of_slice, counts, k)
            values[f"recall_of_{name}@{k}"] = np.where(counts > 0, found, np.nan)
    return values


def _cold_values(
    rankings: Sequence[Ranking], cold: _ColdPart, size: int, ks: Sequence[int]
) -> dict[str, Values]:
    """Recall of cold targets among the cold items alone; NaN for queries without one."""
    if not rankings:
        return {}
    offsets = cold.part.target_offsets
    hits = target_hits(_joined(rankings).positions, offsets, max(ks))
    values = {}
    for k in ks:
        column = np.full(size, np.nan)
        column[cold.queries] = metrics.recall(hits, np.diff(offsets), k)
        values[f"cold_recall@{k}"] = column
    return values


def _per_query(queries: HeldOut, keep: Mask) -> npt.NDArray[np.int64]:
    """How many of each query's targets ``keep`` (bool ``[t]``) holds, int64 ``[q]``."""
    owner = np.repeat(np.arange(len(queries)), np.diff(queries.target_offsets))
    return np.bincount(owner[keep], minlength=len(queries))


def _seen(queries: HeldOut) -> Mask:
    """Which targets their own history holds, bool ``[t]``."""
    seen = np.zeros(len(queries.target_rows), np.bool_)
    width = int(max(queries.pool.max(initial=0), queries.target_rows.max(initial=0))) + 1
    step = max(1, 16_000_000 // width)  # 16 MB of marks at a time
    for low in range(0, len(queries), step):
        part = queries.slice(low, low + step)
        lengths = part.history_lengths
        met = np.zeros((len(part), width), np.bool_)
        owner = np.repeat(np.arange(len(part)), lengths)
        met[owner, part.pool[ranges(part.history_start, lengths)]] = True
        asker = np.repeat(np.arange(len(part)), np.diff(part.target_offsets))
        first = queries.target_offsets[low]
        seen[first : first + len(asker)] = met[asker, part.target_rows]
    return seen


def _mean(column: Values) -> float | None:
    counted = column[np.isfinite(column)]
    return float(counted.mean()) if len(counted) else None
