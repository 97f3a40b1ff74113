"""Rows grouped by leaf, with one byte per dimension, for searches that ScaNN does not offer.

ScaNN has no filter and searches the same number of leaves for each query. A scan of the eligible
rows, leaf after leaf, visits only leaves that hold some and stops when no other leaf can hold a
better row. Rows are compared by codes of a quarter of a vector's size; a bound of what a code loses
decides which vectors are read.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Rows, Vectors
from recsys.index.rows import RowSet

_NO_ROWS = np.empty(0, np.int32)
_EVEN = 2.0
"""Variance of the rows per leaf, relative to that of random rows, up to which they are even."""
_DTYPES = {"tokens": np.int32, "order": np.int32, "codes": np.int8, "sketches": np.uint64}
_AXES, _AXES_ROWS = 32, 16_384
"""Most directions in which the spread is known, and number of rows on which it is measured."""


@dataclass(frozen=True, eq=False)
class LeafGroups:
    """Eligible rows by leaf.

    Attributes:
        leaves: Leaves that hold an eligible row, int32 ``[m]``.
        begins: Start of each one's positions, and the end, int64 ``[m + 1]``.
        positions: Positions of the eligible rows in the order of a partition, int32; empty where
            every row is eligible and the positions are the numbers from 0.
        means: Mean of the eligible rows of each leaf, in steps, int8 ``[m, d]``. It estimates
            scores, and in whole numbers of one byte it is read in a quarter of the time.
        mean_steps: Step of each mean, float32 ``[m]``.
        spread: As in ``Partition``, of the eligible rows, float32 ``[m]``.
        even: Whether the rows are spread over the leaves as random ones are.
        sketches: Those of the eligible rows, uint64 ``[2 * words, eligible]``, in the order of the
            positions, so that a scan reads neighbouring memory.
        sketch_steps: Steps of these sketches, float32 ``[eligible]``.
    """

    leaves: Rows
    begins: npt.NDArray[np.int64]
    positions: Rows
    means: npt.NDArray[np.int8]
    mean_steps: Vectors
    spread: Vectors
    even: bool
    sketches: npt.NDArray[np.uint64]
    sketch_steps: Vectors

    @property
    def bytes(self) -> int:
        """Number of bytes of the arrays."""
        arrays = (getattr(self, each.name) for each in fields(self))
        return sum(each.nbytes for each in arrays if isinstance(each, np.ndarray))

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arguments of a kernel."""
        means, sketches = (self.means, self.mean_steps), (self.sketches, self.sketch_steps)
        return self.leaves, self.begins, self.positions, means, self.spread, sketches


@dataclass(frozen=True, eq=False)
class Partition:
    """The leaf of each row, and codes of the rows in the order of the leaves.

    A row is approximated by its leaf's centroid plus ``scale`` times its codes.

    Attributes:
        tokens: Leaf of each row, int32 ``[n]``.
        centroids: Mean of the rows of each leaf, float32 ``[leaves, d]``.
        spread: Standard deviation of the rows' products with a unit vector, around the centroid's,
            as a root mean square over the directions; float32 ``[leaves]``.
        order: The rows, leaf after leaf, int32 ``[n]``.
        codes: int8 ``[n, d]``, in this order.
        factors: Scale of each row, and the length of the difference between the row and its
            approximation, rounded up; float32 ``[n, 2]``, in this order.
        axes: Directions in which the rows spread most around their centroids, float32 ``[m, d]``.
            The squared length of an axis is the excess of its variance over that of the directions
            without an axis, relative to the mean variance of all directions.
        sketches: Two bits per dimension of each row, in this order, uint64 ``[2 * words, n]``; see
            ``recsys.index.leaves.sketches``.
        sketch_steps: Distance of the levels of each row's sketch, float32 ``[n]``.
        sketch_doubt: Error of sketches that a scan allows for, float32 ``[1]``.
    """

    tokens: Rows
    centroids: Vectors
    spread: Vectors
    order: Rows
    codes: npt.NDArray[np.int8]
    factors: Vectors
    axes: Vectors
    sketches: npt.NDArray[np.uint64]
    sketch_steps: Vectors
    sketch_doubt: Vectors

    @classmethod
    def of(cls, vectors: Vectors, tokens: Rows, leaves: int) -> Partition:
        """Group and encode float32 ``[n, d]`` by the leaf of each row."""
        from recsys.index.leaves.sketches import encode, measured_doubt, sketch

        items, dimension = vectors.shape
        order = np.argsort(tokens, kind="stable").astype(np.int32)
        counts = np.bincount(tokens, minlength=leaves)
        begins = np.concatenate([[0], np.cumsum(counts)])
        centroids = np.zeros((leaves, dimension), np.float32)
        spread = np.zeros(leaves, np.float32)
        codes = np.empty((items, dimension), np.int8)
        factors = np.empty((items, 2), np.float32)
        sketches, steps_of_sketches = sketch(dimension, items)
        for leaf in np.flatnonzero(counts):
            at = slice(begins[leaf], begins[leaf + 1])
            members = vectors[order[at]].astype(np.float64)
            centroids[leaf] = members.mean(axis=0)
            residuals = members - centroids[leaf]
            differences = residuals.astype(np.float32)
            encode(differences, begins[leaf], sketches, steps_of_sketches)
            squares = np.einsum("nd,nd->n", residuals, residuals)
            spread[leaf] = np.sqrt(squares.mean() / dimension)
            codes[at], steps = _rounded(residuals)
            residuals -= codes[at] * steps[:, None].astype(np.float64)
            factors[at, 0] = steps
            factors[at, 1] = _up(np.sqrt(np.einsum("nd,nd->n", residuals, residuals)))
        axes = _axes(codes, factors[:, 0])
        some = np.linspace(0, items - 1, min(items, _AXES_ROWS)).astype(np.int64)
        sample = np.asarray(vectors[some])
        doubt = measured_doubt(sample - centroids[tokens[some]], sample)
        coarse = sketches, steps_of_sketches, doubt
        return cls(tokens, centroids, spread, order, codes, factors, axes, *coarse)

    def save(self, folder: Path) -> None:
        """Write one file per array into a new or empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for each in fields(self):
            np.save(folder / f"{each.name}.npy", getattr(self, each.name), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, *, items: int, dimension: int, leaves: int) -> Partition:
        """Map what :meth:`save` wrote into memory.

        Raises:
            DataError: A file is missing, damaged or of another shape.
        """
        shapes: dict[str, tuple[int, ...]] = {
            "centroids": (leaves, dimension),
            "spread": (leaves,),
            "codes": (items, dimension),
            "factors": (items, 2),
            "axes": (min(dimension, _AXES), dimension),
            "sketch_doubt": (1,),
            "sketches": (2 * -(-dimension // 64), items),
        }
        arrays = {}
        for each in fields(cls):
            name, path = each.name, folder / f"{each.name}.npy"
            try:
                array = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
            except (OSError, ValueError, EOFError) as error:
                raise DataError(f"cannot read {path}: {error}; build the index again") from error
            shape = shapes.get(name, (items,))
            kind = _DTYPES.get(name, np.float32)
            if array.shape != shape or array.dtype != kind:
                raise DataError(
                    f"{path} holds {array.dtype} {array.shape}; expected {np.dtype(kind)} {shape}; "
                    "build the index again"
                )
            arrays[name] = array
        return cls(**arrays)

    @property
    def bytes(self) -> int:
        """Number of bytes of the arrays."""
        return sum(int(getattr(self, each.name).nbytes) for each in fields(self))

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arguments of a kernel."""
        return (
            self.centroids,
            self.order,
            self.codes,
            self.factors,
            self.axes,
            self.sketch_doubt,
        )

    @cached_property
    def everything(self) -> LeafGroups:
        """Every row, by leaf."""
        leaves, begins = self._begins(self.tokens[self.order])
        rows = (_NO_ROWS, *_rounded(self.centroids[leaves]), self.spread[leaves], True)
        return LeafGroups(leaves, begins, *rows, self.sketches, self.sketch_steps)

    def groups(self, allowed: RowSet) -> LeafGroups:
        """The rows of a set, by leaf."""
        from recsys.index.leaves.groups import summarise

        chosen = np.zeros(len(self.order), np.bool_)
        chosen[self._position[allowed.rows]] = True
        positions = np.flatnonzero(chosen).astype(np.int32)
        leaves, begins = self._begins(self.tokens[self.order[positions]])
        means = np.empty((len(leaves), self.centroids.shape[1]), np.float32)
        spread = np.empty(len(leaves), np.float32)
        summarise(self.arrays, leaves, begins, positions, means, spread)
        even = self._is_even(leaves, np.diff(begins))
        sketches = self.sketches.take(positions, axis=1), self.sketch_steps.take(positions)
        return LeafGroups(leaves, begins, positions, *_rounded(means), spread, even, *sketches)

    def _is_even(self, leaves: Rows, counts: npt.NDArray[np.int64]) -> bool:
        """Whether the numbers of rows per leaf vary as those of random rows do."""
        sizes = self._sizes
        share = counts.sum() / sizes.sum()
        if share in (0, 1):
            return True
        found = np.zeros(len(sizes))
        found[leaves] = counts
        squares = (found - share * sizes) ** 2 / np.maximum(sizes, 1)
        variance = squares.sum() / max(np.count_nonzero(sizes) - 1, 1)
        return bool(variance <= _EVEN * share * (1 - share))

    def _begins(self, tokens: Rows) -> tuple[Rows, npt.NDArray[np.int64]]:
        """Leaves that rows are in, and where each one's rows begin, for ascending tokens."""
        counts = np.bincount(tokens, minlength=len(self.centroids))
        leaves = np.flatnonzero(counts)
        return leaves.astype(np.int32), np.concatenate([[0], np.cumsum(counts[leaves])])

    @cached_property
    def _sizes(self) -> npt.NDArray[np.int64]:
        """Number of rows per leaf."""
        return np.bincount(self.tokens, minlength=len(self.centroids))

    @cached_property
    def _position(self) -> Rows:
        position = np.empty(len(self.order), np.int32)
        position[self.order] = np.arange(len(self.order), dtype=np.int32)
        return position


def _rounded(rows: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], Vectors]:
    """Rows ``[m, d]`` as int8 codes and the step of each row, float32 ``[m]``."""
    steps = np.abs(rows).max(axis=1, initial=0).astype(np.float32) / np.float32(127)
    steps[steps == 0] = 1
    return np.clip(np.rint(rows / steps[:, None]), -127, 127).astype(np.int8), steps


def _axes(codes: npt.NDArray[np.int8], scale: Vectors) -> Vectors:
    """The axes of rows given as codes."""
    items, dimension = codes.shape
    some = np.linspace(0, items - 1, min(items, _AXES_ROWS)).astype(np.int64)
    rows = codes[some] * scale[some, None].astype(np.float64)
    variances, directions = np.linalg.eigh(rows.T @ rows)
    count, mean = min(dimension, _AXES), max(float(variances.mean()), 1e-300)
    first = variances[-count:]
    rest = variances[:-count].mean() if count < dimension else first[0]
    lengths = np.sqrt(np.maximum(first - rest, 0) / mean)
    return np.ascontiguousarray((directions[:, -count:] * lengths).T, dtype=np.float32)


def _up(values: Any) -> Vectors:
    """The same as float32, not smaller."""
    rounded: Vectors = np.nextafter(np.asarray(values).astype(np.float32), np.float32(np.inf))
    return rounded
