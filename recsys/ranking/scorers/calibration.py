"""From scores to probabilities: Platt scaling (Platt, 1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Vectors
from recsys.ranking.head import probability


@dataclass(frozen=True)
class PlattCalibration:
    """p = sigmoid(slope * score + offset).

    It keeps the order of the scores where the slope is above 0.

    Attributes:
        slope: Factor of the score.
        offset: Log-odds at the score 0.

    Example:
        >>> scores, labels = np.repeat([0.0, 1.0], 100), np.tile([1, 0, 0, 0], 50)
        >>> calibration = PlattCalibration.fit(scores, labels)
        >>> np.round(calibration.probability(np.array([0.0, 1.0])), 2).tolist()
        [0.25, 0.25]
    """

    slope: float = 1.0
    offset: float = 0.0

    @classmethod
    def fit(
        cls, scores: Vectors, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> PlattCalibration:
        """The slope and the offset of largest likelihood.

        Args:
            scores: Scores ``[n]``.
            labels: 1 for taken, 0 for not taken ``[n]``.
            weights: Weight per example ``[n]``, such as the inverse of its sampling rate.

        Raises:
            DataError: One of the two labels is missing.
        """
        from sklearn.linear_model import LogisticRegression

        taken = np.asarray(labels, np.bool_)
        if not taken.any() or taken.all():
            raise DataError("a calibration needs examples that were taken and others that were not")
        x = np.asarray(scores, np.float64)[:, None]
        model = LogisticRegression(C=1e6, max_iter=1000).fit(x, taken, sample_weight=weights)
        return cls(float(model.coef_[0, 0]), float(model.intercept_[0]))

    def probability(self, scores: Vectors) -> Vectors:
        """Probability per score, float32 ``[n]``."""
        return probability(np.asarray(self.slope * scores + self.offset, np.float32))


@dataclass(frozen=True, eq=False)
class Reliability:
    """Predicted and observed shares in b groups of similar predictions.

    Attributes:
        predicted: Mean probability per group, float64 ``[b]``.
        observed: Share that was taken per group, float64 ``[b]``.
        counts: Weight per group, float64 ``[b]``.

    Example:
        >>> groups = Reliability.of(np.array([0.1, 0.1, 0.9, 0.9]), [0, 0, 1, 1], groups=2)
        >>> groups.observed.tolist(), round(groups.error, 2)
        ([0.0, 1.0], 0.1)
    """

    predicted: npt.NDArray[np.float64]
    observed: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls,
        probabilities: Vectors,
        labels: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        *,
        groups: int = 10,
    ) -> Reliability:
        """Groups of equal size by probability."""
        p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.float64)
        w = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
        parts = [part for part in np.array_split(np.argsort(p, kind="stable"), groups) if len(part)]
        total = np.array([w[part].sum() for part in parts])
        predicted = np.array([w[part] @ p[part] for part in parts]) / total
        observed = np.array([w[part] @ y[part] for part in parts]) / total
        return cls(predicted, observed, total)

    @property
    def error(self) -> float:
        """Expected calibration error: mean absolute difference of the two, by weight."""
        gaps = np.abs(self.predicted - self.observed)
        return float(gaps @ self.counts / self.counts.sum())
