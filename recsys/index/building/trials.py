"""Choice of the number of leaves, by trials on a part of the rows within the build budget."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from recsys.errors import ConfigError
from recsys.ids import Vectors
from recsys.index.building.partitioning import Partitioning
from recsys.index.building.sample import Queries
from recsys.index.building.tuning import TunedPart
from recsys.index.configs import ScannConfig
from recsys.index.scann.searcher import ScannSearcher

_FACTORS = (4, 2, 1)
"""Numbers of leaves to try, relative to the square root of the number of rows."""
_FROM = 100_000
"""Number of rows below which no trial is made."""
_SHARE = 16
"""Part of the rows in a trial."""
_QUERIES = 300
_RANKS = (2, 6)
"""Cutoffs of a trial, for 32 and 96 of all rows."""
_ITERATIONS, _CODE_ROWS = 3, 20_000
_BUDGET_SHARE = 0.7
"""Part of the build budget that the build may take; trials and tuning have the rest."""
_MINUTE, _NUMBERS = 60.0, 64e6


@dataclass(frozen=True)
class Trial:
    """A number of leaves as estimated on a part of the rows.

    Attributes:
        leaves: Number of partitions.
        build_seconds: Estimated duration of the build.
        seconds: Estimated duration of a query at the target, geometric mean over k = 32 and 96;
            None where it was not tried because the build exceeds the budget.
    """

    leaves: int
    build_seconds: float
    seconds: float | None


def choose(
    vectors: Vectors, config: ScannConfig, queries: Queries | None
) -> tuple[Partitioning, tuple[Trial, ...]]:
    """The partitioning that ``config`` describes, and its trials.

    Raises:
        ConfigError: A number of the configuration does not fit the vectors.
    """
    items, dimension = vectors.shape
    for name, number, most, unit in (
        ("dimensions_per_block", config.dimensions_per_block, dimension, "dimension"),
        ("num_leaves", config.num_leaves, items, "number of vectors"),
    ):
        if isinstance(number, int) and number > most:
            raise ConfigError(
                f"{name} must not be above the {unit}, {most}; got {number}", field=name
            )
    root = math.isqrt(items)
    tried: list[Trial] = []
    leaves = root if config.num_leaves == "auto" else config.num_leaves
    if config.num_leaves == "auto" and items >= _FROM:
        for factor in _FACTORS:
            tried.append(_try(vectors, factor * root, config, queries))
            durations = [trial.seconds for trial in tried if trial.seconds is not None]
            if len(durations) > 1 and durations[-1] > durations[-2]:
                break  # Fewer leaves would be slower still.
        measured = [trial for trial in tried if trial.seconds is not None]
        leaves = min(measured, key=lambda trial: trial.seconds or 0).leaves if measured else root
    chosen = Partitioning.of(config, leaves, items=items, dimension=dimension)
    return chosen, tuple(tried)


def budget(config: ScannConfig, items: int, dimension: int) -> float:
    """Budget of a build, in seconds."""
    if config.build_seconds == "auto":
        return _MINUTE * max(1.0, items * dimension / _NUMBERS)
    return config.build_seconds


def _try(vectors: Vectors, leaves: int, config: ScannConfig, queries: Queries | None) -> Trial:
    """Estimate from an index with as many leaves over a part of the rows.

    The k / 16 best of a sixteenth of the rows are about as near to a query as the k best of all, so
    that they lie in as many leaves.
    """
    items, dimension = vectors.shape
    candidate = Partitioning.of(config, leaves, items=items, dimension=dimension)
    duration = candidate.build_seconds(items, dimension)
    if duration > _BUDGET_SHARE * budget(config, items, dimension):
        return Trial(leaves, round(duration, 1), None)
    chosen = np.random.default_rng(0).permutation(items)[: items // _SHARE]
    rows = np.ascontiguousarray(vectors[np.sort(chosen)])
    small = dataclasses.replace(
        candidate,
        training_rows=min(len(rows), candidate.training_rows),
        iterations=_ITERATIONS,
        code_rows=_CODE_ROWS,
    )
    searcher = ScannSearcher.of(rows, small, config.anisotropic_threshold)
    cost = dataclasses.replace(candidate.cost(items, dimension), rows_per_row=_SHARE)
    part = TunedPart(rows, searcher.propose, cost, config.target_recall)
    curve = part.tune(queries, min(_QUERIES, config.tuning_queries), ranks=_RANKS)
    seconds = [cutoff.tuned_point.seconds for cutoff in curve.plain]
    return Trial(leaves, round(duration, 1), float(np.exp(np.mean(np.log(seconds)))))
