"""Seeded bootstrap intervals of means over queries.

The percentile bootstrap (Efron, 1979) over queries: each resample draws as many queries as there
are, with replacement. Scorers evaluated on the same queries with one seed have the same resamples,
so that their difference has an interval of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from recsys.evaluation.metrics import Values
from recsys.progress import Progress, silent

Interval = tuple[float, float]


def bootstrap_intervals(
    values: Mapping[str, Values],
    *,
    seed: int = 0,
    resamples: int = 1000,
    share: float = 0.95,
    progress: Progress = silent,
) -> dict[str, Interval]:
    """The interval of the mean of each of ``values``, float64 ``[q]``, NaN where a query does not
    count; it holds ``share`` of the resampled means. Where no resample contains a query that
    counts, it is the range of the values.

    Example:
        >>> bootstrap_intervals({"same": np.ones(5)})
        {'same': (1.0, 1.0)}
    """
    names = [name for name, column in values.items() if np.isfinite(column).any()]
    if not names:
        return {}
    table = np.stack([values[name] for name in names], axis=1)
    counted = np.isfinite(table)
    summed = np.concatenate([np.where(counted, table, 0.0), counted], axis=1)
    sums = resampled_sums(summed, seed=seed, resamples=resamples, progress=progress)
    with np.errstate(invalid="ignore"):  # a resample may contain no query of a rare slice
        means = sums[:, : len(names)] / sums[:, len(names) :]
    low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    drawn = np.isfinite(means).any(axis=0)
    bounds = [(1 - share) / 2, (1 + share) / 2]
    if drawn.any():
        low[drawn], high[drawn] = np.nanquantile(means[:, drawn], bounds, axis=0)
    return {name: (float(low[at]), float(high[at])) for at, name in enumerate(names)}


def resampled_sums(
    table: Values, *, seed: int, resamples: int, progress: Progress
) -> npt.NDArray[np.float64]:
    """The column sums of each resample, float64 ``[resamples, columns]``."""
    rng = np.random.default_rng(seed)
    size = len(table)
    sums = np.empty((resamples, table.shape[1]))
    step = max(1, 4_000_000 // size)  # 32 MB of weights at a time
    for low in range(0, resamples, step):
        high = min(low + step, resamples)
        weights = np.stack(
            [np.bincount(rng.integers(0, size, size), minlength=size) for _ in range(low, high)]
        )
        sums[low:high] = weights.astype(np.float64) @ table
        if step < resamples:
            progress("bootstrap", high, resamples)
    return sums
