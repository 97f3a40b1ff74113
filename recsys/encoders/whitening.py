"""Whitening: the same variance in each direction, and no correlation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def whitening(values: npt.NDArray[Any], *, shrinkage: float) -> npt.NDArray[np.float64]:
    """The symmetric (ZCA) whitening ``[d, d]`` of ``values`` ``[n, d]``.

    ``(x - mean) @ whitening`` has a covariance of about 1. ``shrinkage`` times the mean variance is
    added to each direction's variance, so that noise is not amplified.

    Example:
        >>> line = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
        >>> whitening(line, shrinkage=0.0)[0].round(3).tolist()
        [0.5, 0.0]
    """
    covariance = np.cov(values, rowvar=False).reshape(values.shape[1], values.shape[1])
    variances, axes = np.linalg.eigh(covariance)
    floor = shrinkage * max(float(variances.mean()), 1e-12)
    scales = np.sqrt(np.maximum(np.maximum(variances, 0) + floor, 1e-24))
    return np.asarray((axes / scales) @ axes.T, np.float64)
