"""Variety of feeds: diversity, coverage, novelty, serendipity, popularity bias and calibration.

Functions that return ``Values`` have one number per query, float64 ``[q]``, NaN where it is not
defined, as for an empty list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.evaluation import metrics
from recsys.evaluation.bootstrap import Interval, bootstrap_intervals
from recsys.evaluation.feeds.lists import Lists
from recsys.evaluation.metrics import Counts, Values
from recsys.ids import Mask, Vectors

SMOOTHING = 0.01
"""Share of the history's distribution that is mixed into that of a list, for the calibration."""


@dataclass(frozen=True, eq=False)
class ItemFacts:
    """What is known of the items of a catalogue.

    Attributes:
        counts: Number of training interactions per item, int ``[items]``.
        candidates: Items that can be shown, bool ``[items]``.
        vectors: Vectors that are compared by their cosine, float32 ``[items, d]``, zeros where an
            item has none.
        values: Values of one attribute, int32 ``[items, m]``, -1 for none; None without one.
    """

    counts: Counts
    candidates: Mask
    vectors: Vectors
    values: npt.NDArray[np.int32] | None = None


def variety_figures(
    lists: Lists,
    *,
    facts: ItemFacts,
    targets: Lists,
    histories: Lists,
    k: int,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, tuple[float, Interval | None]]:
    """All figures of the first k items, with 95% intervals where they are means over queries.

    ``NAME@k`` for diversity, novelty, serendipity, head_share and calibration, which have an
    interval, and for coverage and gini, which have none. Calibration is left out without an
    attribute.
    """
    top = lists.first(k)
    values = {
        f"diversity@{k}": intra_list_diversity(top, facts.vectors),
        f"novelty@{k}": novelty(top, facts.counts),
        f"serendipity@{k}": serendipity(top, targets, facts.counts, histories),
        f"head_share@{k}": head_share(top, facts.counts),
    }
    if facts.values is not None:
        values[f"calibration@{k}"] = calibration(top, histories, facts.values)
    intervals = bootstrap_intervals(values, seed=seed, resamples=resamples)
    figures: dict[str, tuple[float, Interval | None]] = {
        name: (float(np.nanmean(values[name])), intervals[name]) for name in intervals
    }
    size = int(facts.candidates.sum())
    figures[f"coverage@{k}"] = (metrics.coverage(top.rows, top.valid, k, size), None)
    figures[f"gini@{k}"] = (exposure_gini(top, facts.candidates), None)
    return figures


def intra_list_diversity(lists: Lists, vectors: Vectors) -> Values:
    """Mean of 1 - cosine over the pairs of a list (Ziegler et al., 2005).

    Items without a vector are left out. A list with fewer than two others is NaN.

    Example:
        >>> intra_list_diversity(Lists.of([[0, 1], [0, 0]]), np.eye(2, dtype=np.float32)).tolist()
        [1.0, 0.0]
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    unit = vectors / np.where(lengths > 0, lengths, 1)[:, None]
    counted = lists.valid & (lengths[lists.rows] > 0)
    number = np.count_nonzero(counted, axis=1)
    # The sum over pairs of a list's cosines follows from the length of the sum of its vectors.
    total = np.einsum("qnd,qn->qd", unit[lists.rows], counted.astype(np.float32))
    squared = np.einsum("qd,qd->q", total.astype(np.float64), total.astype(np.float64))
    pairs = number * (number - 1)
    found: Values = 1 - (squared - number) / np.where(pairs > 0, pairs, np.nan)
    return np.where(pairs > 0, found, np.nan)


def novelty(lists: Lists, counts: Counts) -> Values:
    """Mean of -log2 of the items' shares of the interactions (Zhou et al., 2010), in bits.

    Each count is increased by 1, so that an item without interactions has a share.
    """
    bits = -np.log2((counts + 1) / (counts.sum() + len(counts)))
    return _mean(bits[lists.rows], lists)


def serendipity(lists: Lists, targets: Lists, counts: Counts, histories: Lists) -> Values:
    """Share of a list that are targets which a list by popularity of the same length lacks.

    The list by popularity (Murakami et al., 2008: "primitive recommendations") leaves out the
    query's history. Ties in popularity go to the lower row.
    """
    order = np.argsort(-counts, kind="stable").astype(np.int32)
    width = lists.rows.shape[1]
    longest = width + int(histories.lengths.max(initial=0))
    popular = Lists(
        np.tile(order[:longest], (len(lists), 1)),
        np.ones((len(lists), min(longest, len(order))), np.bool_),
    )
    fresh = ~popular.hits(histories)
    expected = fresh & (np.cumsum(fresh, axis=1) <= lists.lengths[:, None])
    compact = Lists.of([rows[keep] for rows, keep in zip(popular.rows, expected)])
    hits = lists.hits(targets) & ~lists.hits(compact)
    return _mean(hits.astype(np.float64), lists)


def head_share(lists: Lists, counts: Counts) -> Values:
    """Share of a list that is in the head: the items with the first third of the interactions."""
    return _mean(metrics.popularity_slices(counts)["head"][lists.rows].astype(np.float64), lists)


def exposure_gini(lists: Lists, candidates: Mask) -> float:
    """Gini coefficient of the number of times that each candidate is shown.

    0 if all are shown equally often, near 1 if a few are shown to all.

    Example:
        >>> exposure_gini(Lists.of([[0], [1]]), np.array([True, True]))
        0.0
    """
    shown = np.bincount(lists.rows[lists.valid], minlength=len(candidates))
    shares = np.sort(shown[candidates]).astype(np.float64)
    total, n = shares.sum(), len(shares)
    if not total:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ shares / (n * total))


def calibration(lists: Lists, histories: Lists, values: npt.NDArray[np.int32]) -> Values:
    """Divergence of a list's distribution over an attribute's values from the history's.

    The Kullback-Leibler divergence of Steck (2018), natural logarithm: 0 if a list has each value
    as often as the history. An item with several values counts a part for each. NaN without items
    that have a value, in the list or in the history.
    """
    kinds = int(values.max(initial=-1)) + 1
    if not kinds:
        return np.full(len(lists), np.nan)
    wanted, own = _distribution(histories, values, kinds), _distribution(lists, values, kinds)
    mixed = (1 - SMOOTHING) * own + SMOOTHING * wanted
    logarithms = np.log(np.where(wanted > 0, wanted, 1)) - np.log(np.where(wanted > 0, mixed, 1))
    found: Values = (wanted * logarithms).sum(axis=1)
    return found


def _distribution(lists: Lists, values: npt.NDArray[np.int32], kinds: int) -> Values:
    """Share of each value in each list, float64 ``[q, kinds]``; NaN for a list without any."""
    values = values[:, None] if values.ndim == 1 else values
    each = np.count_nonzero(values >= 0, axis=1)
    weights = np.where(values >= 0, 1 / np.maximum(each, 1)[:, None], 0)
    query, position = np.nonzero(lists.valid)
    rows = lists.rows[query, position]
    found = np.zeros((len(lists), kinds))
    for at in range(values.shape[1]):
        np.add.at(found, (query, np.maximum(values[rows, at], 0)), weights[rows, at])
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1), np.nan)


def _mean(numbers: npt.NDArray[np.float64], lists: Lists) -> Values:
    total = np.where(lists.valid, numbers, 0).sum(axis=1)
    return np.where(lists.lengths > 0, total / np.maximum(lists.lengths, 1), np.nan)
