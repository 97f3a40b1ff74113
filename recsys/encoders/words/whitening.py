"""Whitening: the same variance in every direction, and none with another."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def whitening(values: npt.NDArray[Any], *, held_back: float) -> npt.NDArray[np.float64]:
    """The symmetric (ZCA) whitening ``[d, d]`` of ``values`` ``[n, d]``.

    ``(x - mean) @ whitening`` has about the covariance 1. ``held_back`` times the mean variance is
    added to each direction's, so that noise where hardly anything varies is not blown up.

    Example:
        >>> line = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
        >>> whitening(line, held_back=0.0)[0].round(3).tolist()
        [0.5, 0.0]
    """
    covariance = np.cov(values, rowvar=False).reshape(values.shape[1], values.shape[1])
    variances, axes = np.linalg.eigh(covariance)
    floor = held_back * max(float(variances.mean()), 1e-12)
    scales = np.sqrt(np.maximum(np.maximum(variances, 0) + floor, 1e-24))
    return np.asarray((axes / scales) @ axes.T, np.float64)
