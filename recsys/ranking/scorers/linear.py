"""Weighted sums of features: logistic regression, and blends with given weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys.files import save_arrays, write_json
from recsys.ids import Vectors
from recsys.ranking.inputs import FeatureTable, PairContext
from recsys.ranking.scorers.files import ScorerFiles


@dataclass(frozen=True, eq=False)
class LinearScorer:
    """score = bias + sum of weight * (feature - centre) / scale.

    Attributes:
        features: Names of the features.
        weights: float32 ``[f]``.
        centre: Usual value of each feature, float32 ``[f]``.
        scale: Divisor of each feature, float32 ``[f]``, above 0.
        bias: Score of an item whose features all have their usual value.

    Example:
        >>> blend = LinearScorer.of_weights({"recent": 0.5, "vector.product": 2.0})
        >>> values, rows = np.array([[4, 1]], np.float32), np.array([7], np.int32)
        >>> table = FeatureTable(blend.features, values, rows)
        >>> blend.score(table, PairContext()).tolist(), blend.explain(table, PairContext(), 0)
        ([4.0], {'recent': 2.0, 'vector.product': 2.0})
    """

    kind: ClassVar[str] = "linear"
    features: tuple[str, ...]
    weights: Vectors
    centre: Vectors
    scale: Vectors
    bias: float = 0.0

    @property
    def reads_vectors(self) -> bool:
        """False: features are all that is read."""
        return False

    @classmethod
    def of_weights(cls, weights: Mapping[str, float]) -> LinearScorer:
        """A blend: the plain weighted sum of features."""
        size = len(weights)
        return cls(
            tuple(weights),
            np.array(list(weights.values()), np.float32),
            np.zeros(size, np.float32),
            np.ones(size, np.float32),
        )

    def score(self, table: FeatureTable, context: PairContext) -> Vectors:
        """float32 ``[n]``."""
        values = (table.select(self.features).values - self.centre) / self.scale
        return np.asarray(values @ self.weights + np.float32(self.bias), np.float32)

    def explain(self, table: FeatureTable, context: PairContext, at: int) -> Mapping[str, float]:
        """Contributions, which add up to the score without the bias."""
        row = table.select(self.features).values[at]
        parts = (row - self.centre) / self.scale * self.weights
        return dict(zip(self.features, parts.tolist()))

    def save(self, folder: Path) -> None:
        """Write ``scorer.json`` and ``scorer.npz`` into ``folder``."""
        arrays = {"weights": self.weights, "centre": self.centre, "scale": self.scale}
        save_arrays(folder / "scorer.npz", arrays)
        facts = {"kind": self.kind, "features": list(self.features), "bias": self.bias}
        write_json(folder / "scorer.json", facts)


def load_linear(files: ScorerFiles) -> LinearScorer:
    """Read what :meth:`LinearScorer.save` wrote.

    Raises:
        DataError: A part is missing or damaged.
    """
    size = len(files.features)
    weights, centre, scale = (files.array(name, size) for name in ("weights", "centre", "scale"))
    return LinearScorer(files.features, weights, centre, scale, files.number("bias"))
