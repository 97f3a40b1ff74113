"""A map of items: rows of a catalogue, their points, and its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.files import load_arrays, save_arrays
from recsys.ids import Mask, Rows, Vectors
from recsys.maps.projection import Method, Points, project

MAX_POINTS = 5_000


@dataclass(frozen=True, eq=False)
class ItemMap:
    """Items as points of a plane.

    Attributes:
        rows: Rows of the items, int32 ``[n]``, ascending.
        points: Coordinates from -1 to 1, float32 ``[n, 2]``.
        explained_variance: Share of the variance that the two directions of PCA have, else 0.
        items: Number of items of which ``rows`` are a sample.

    Example:
        >>> made = ItemMap.of(np.eye(3, dtype=np.float32), np.array([True, True, False]), "pca")
        >>> made.rows.tolist(), made.items
        ([0, 1], 2)
    """

    rows: Rows
    points: Points
    explained_variance: float
    items: int

    @classmethod
    def of(cls, vectors: Vectors, mask: Mask, method: Method, *, seed: int = 0) -> ItemMap:
        """The map of a sample of at most 5,000 of the items that have a vector.

        Args:
            vectors: Vectors of all items, float32 ``[items, d]``.
            mask: Whether each item has a vector, bool ``[items]``.
            method: As of :func:`recsys.maps.project`.
            seed: Seed of the sample and of the method.
        """
        rows = sample_rows(mask, seed=seed)
        points, share = project(np.asarray(vectors[rows], np.float32), method, seed=seed)
        return cls(rows, points, share, int(np.count_nonzero(mask)))

    @classmethod
    def load(cls, path: Path) -> ItemMap:
        """A map that :meth:`save` wrote.

        Raises:
            DataError: The file is missing or damaged.
        """
        try:
            found: dict[str, Any] = load_arrays(path)
            rows, points = found["rows"], found["points"]
            if rows.shape != (len(points),) or points.shape != (len(rows), 2):
                raise ValueError(f"{rows.shape} rows and {points.shape} points")
            return cls(rows, points, float(found["share"]), int(found["items"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} holds no map: {error}") from error

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file atomically.

        Raises:
            OSError: The file cannot be written.
        """
        share, items = np.float64(self.explained_variance), np.int64(self.items)
        save_arrays(
            path, {"rows": self.rows, "points": self.points, "share": share, "items": items}
        )


def sample_rows(mask: Mask, *, seed: int = 0, most: int = MAX_POINTS) -> Rows:
    """Rows of at most ``most`` items of a mask, drawn by the seed, int32, ascending."""
    rows = np.flatnonzero(mask)
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return rows.astype(np.int32)
