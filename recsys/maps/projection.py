"""From vectors to points of a plane."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.errors import ConfigError
from recsys.ids import Vectors

Points = npt.NDArray[np.float32]
Method = Literal["pca", "umap"]
METHODS: tuple[Method, ...] = ("pca", "umap")
_NEIGHBOURS, _EPOCHS = 15, 200
_AT_ONCE = 1_000


def available_methods() -> tuple[Method, ...]:
    """The methods whose libraries are installed."""
    return METHODS if find_spec("umap") else METHODS[:1]


def project(vectors: Vectors, method: Method, *, seed: int = 0) -> tuple[Points, float]:
    """Points of a plane, near each other where the vectors are.

    The same vectors and seed give the same points.

    Args:
        vectors: Vectors, float32 ``[n, d]``.
        method: "pca", the two directions of the largest variance; or "umap" (McInnes, Healy and
            Melville, 2018), which keeps neighbours together, by cosine.
        seed: Seed of "umap".

    Returns:
        Points, float32 ``[n, 2]``, whose largest coordinate is 1 in size; and the share of the
        variance that the two directions of "pca" have, 0 for "umap".

    Raises:
        ConfigError: umap-learn is not installed.

    Example:
        >>> points, share = project(np.array([[0, 0], [0, 0], [3, 0]], np.float32), "pca")
        >>> points[:, 0].tolist(), share
        ([-0.5, -0.5, 1.0], 1.0)
    """
    if not len(vectors):
        return np.zeros((0, 2), np.float32), 0.0
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    scores, variances = _principal(centred)
    total = float(np.square(centred).sum())
    if method == "pca" or len(vectors) <= _NEIGHBOURS:
        plane = np.zeros((len(vectors), 2))
        plane[:, : scores.shape[1]] = scores[:, :2]
        share = float(variances[:2].sum() / total) if total else 0.0
        return _scaled(plane), share if method == "pca" else 0.0
    return _scaled(_umap(vectors, scores[:, :2], seed)), 0.0


def _principal(centred: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], Points]:
    """Coordinates along the principal directions, and the sum of squares along each.

    The coordinate that is largest in size is positive in each direction, which fixes its sign.
    """
    squares, directions = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(-squares, kind="stable")
    scores = centred @ directions[:, order]
    signs = np.sign(scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])])
    return scores * np.where(signs == 0, 1.0, signs), np.maximum(squares[order], 0.0)


def _umap(vectors: Vectors, start: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    if find_spec("umap") is None:
        raise ConfigError(
            "the method 'umap' needs umap-learn; pip install 'recsys[maps]', or choose 'pca'",
            field="method",
        )
    import umap  # optional, and slow to import

    model = umap.UMAP(
        n_neighbors=_NEIGHBOURS,
        n_epochs=_EPOCHS,
        min_dist=0.1,
        metric="cosine",
        init=10 * _scaled(start),
        random_state=seed,
        n_jobs=1,
        # Its own search of neighbours is compiled for most of a minute.
        precomputed_knn=_neighbours(vectors),
        force_approximation_algorithm=True,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)  # of other vectors
        made = model.fit_transform(vectors)
    points: npt.NDArray[np.float64] = np.asarray(made, np.float64)
    middle: npt.NDArray[np.float64] = (points.max(axis=0) + points.min(axis=0)) / 2
    return points - middle


def _neighbours(vectors: Vectors) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Rows of the nearest vectors of each by cosine, itself first, and their distances."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)
    rows, distances = [], []
    for first in range(0, len(units), _AT_ONCE):
        gaps = 1 - units[first : first + _AT_ONCE] @ units.T
        row = np.arange(len(gaps))
        gaps[row, first + row] = -1
        near = np.argpartition(gaps, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        order = np.argsort(np.take_along_axis(gaps, near, 1), axis=1, kind="stable")
        rows.append(np.take_along_axis(near, order, 1))
        distances.append(np.maximum(np.take_along_axis(gaps, rows[-1], 1), 0))
    return np.concatenate(rows).astype(np.int64), np.concatenate(distances)


def _scaled(plane: npt.NDArray[np.float64]) -> Points:
    return (plane / (float(np.abs(plane).max()) or 1.0)).astype(np.float32)
