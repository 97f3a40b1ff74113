"""Order of candidates by score and variety: MMR, MSD, DPP and SSD, from pyversity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.errors import ConfigError, DataError
from recsys.ids import Rows, Vectors

Method = Literal["mmr", "msd", "dpp", "ssd"]
_METHODS = ("mmr", "msd", "dpp", "ssd")
_ROUNDING = 1e-5
_NO_GAIN = 1e-5
"""Share of the first gain below which a pick of a DPP is rounding: the vectors are all spanned."""


@dataclass(frozen=True)
class Diversity:
    """A method that trades scores for variety.

    Attributes:
        method: "mmr", maximal marginal relevance (Carbonell and Goldstein, 1998): each pick loses
            by its greatest similarity to a pick before it. "msd", maximal sum of distances
            (Borodin et al., 2012): each pick gains by its distance to all picks before it. "dpp",
            the greedy determinantal point process of Chen et al. (2018). "ssd", sliding spectrum
            decomposition (Huang et al., 2021): each pick gains by the part of its vector that the
            ``window`` picks before it do not span.
        strength: Weight of variety in [0, 1]. 0 keeps the order of the scores.
        window: Number of earlier picks that "ssd" compares with; None for all.

    Raises:
        ConfigError: An unknown method, or a strength or window out of range.

    Example:
        >>> Diversity("mmr", strength=0.3).window is None
        True
    """

    method: Method = "mmr"
    strength: float = 0.3
    window: int | None = None

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            raise ConfigError(f"method must be one of {', '.join(_METHODS)}; got '{self.method}'")
        if not 0 <= self.strength <= 1:
            raise ConfigError(f"strength must be in [0, 1]; got {self.strength}")
        if self.window is not None and (self.method != "ssd" or self.window < 1):
            raise ConfigError("window is 1 or more, and only the method 'ssd' has one")


def diversify(scores: Vectors, vectors: Vectors, k: int, diversity: Diversity) -> Rows:
    """Positions of all candidates, int32 ``[n]``: k picks of the method, then the rest by score.

    Scores are first scaled to [0, 1], so that a strength has the same meaning for every scorer.
    The first pick is the best score. Ties go to the earlier candidate.

    Args:
        scores: float32 ``[n]``, finite.
        vectors: float32 ``[n, d]``, compared by their cosine. A candidate without a vector has
            zeros; it is compared as the mean of the others' directions.
        k: Number of picks, 0 or more.

    Raises:
        DataError: A shape differs, or a number is not finite.

    Example:
        >>> vectors = np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)
        >>> scores = np.array([0.9, 0.8, 0.7], np.float32)
        >>> diversify(scores, vectors, 2, Diversity("mmr", strength=0.5)).tolist()
        [0, 2, 1]
    """
    _check(scores, vectors)
    order = np.argsort(-scores, kind="stable").astype(np.int32)
    if diversity.strength == 0 or k < 2 or len(order) < 2:
        return order
    low, high = scores[order[-1]], scores[order[0]]
    scaled = (scores[order] - low) / max(high - low, np.finfo(np.float32).tiny)
    picks = order[_picks(scaled.astype(np.float32), _directions(vectors[order]), k, diversity)]
    rest = np.ones(len(order), np.bool_)
    rest[picks] = False
    return np.concatenate([picks, order[rest[order]]])


def _picks(scores: Vectors, vectors: Vectors, k: int, diversity: Diversity) -> Rows:
    from pyversity import diversify as select

    if diversity.method == "mmr":
        reachable = _reachable(scores, k, diversity.strength)
        scores, vectors = scores[:reachable], vectors[:reachable]
    options = {"window": diversity.window} if diversity.method == "ssd" else {}
    found = select(
        vectors, scores, k, strategy=diversity.method, diversity=diversity.strength, **options
    )
    if diversity.method == "dpp":
        gains = found.selection_scores
        return found.indices[np.logical_and.accumulate(gains > _NO_GAIN * gains[0])]
    return found.indices


def _reachable(scores: Vectors, k: int, strength: float) -> int:
    """Number of the first candidates among which MMR picks k, whatever their vectors are.

    A similarity is from 0 to 1. One of the best k candidates is always left, whose value is at
    least its score times (1 - strength), minus the strength; no later candidate has more than its
    score times (1 - strength).

    Args:
        scores: float32 ``[n]``, descending.
    """
    if strength == 1 or k >= len(scores):
        return len(scores)
    least = float(scores[k - 1]) - strength / (1 - strength) - _ROUNDING
    return int(np.searchsorted(-scores, -least, side="right"))


def _directions(vectors: Vectors) -> Vectors:
    """Vectors of length 1; missing ones are the mean of the others."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    present = lengths > 0
    found = vectors / np.where(present, lengths, 1)[:, None]
    if not present.all() and present.any():
        found[~present] = found[present].mean(axis=0)
    return np.ascontiguousarray(found, np.float32)


def _check(scores: Vectors, vectors: Vectors) -> None:
    if scores.ndim != 1 or vectors.ndim != 2 or len(vectors) != len(scores):
        raise DataError(
            f"scores are [n] and vectors [n, d]; got {scores.shape} and {vectors.shape}"
        )
    if not (np.isfinite(scores).all() and np.isfinite(vectors).all()):
        raise DataError("scores and vectors must be finite")
