"""The item tower after training, as arrays: feature blocks in, item vectors out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.features import FeatureBlock
from recsys.ids import Rows, Vectors

Arrays = Mapping[str, npt.NDArray[Any]]
NUMBERS_PER_CALL = 1 << 24
"""Numbers of a block, or of its projection, in one pass; bounds memory, not results."""
_SHORTEST = 1e-12
"""As in ``tf.math.l2_normalize``."""


@dataclass(frozen=True, eq=False)
class FrozenProjection:
    """P x = A z + a with z = (x - centre) / scale.

    Attributes:
        centre: float32 ``[w]``.
        scale: A number above 0.
        kernel: A, float32 ``[w, d]``.
        bias: a, float32 ``[d]``.
    """

    centre: Vectors
    scale: float
    kernel: Vectors
    bias: Vectors

    def project(self, vectors: Vectors) -> Vectors:
        """Vectors ``[n, w]`` of a block as float32 ``[n, d]``."""
        scaled: Vectors = (vectors - self.centre) / np.float32(self.scale)
        return scaled @ self.kernel + self.bias

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name; :meth:`from_arrays` reads it."""
        scale = np.array(self.scale, np.float32)
        return {"centre": self.centre, "scale": scale, "kernel": self.kernel, "bias": self.bias}

    @classmethod
    def from_arrays(cls, arrays: Arrays, width: int, dimension: int) -> FrozenProjection:
        """The projection of vectors of this width.

        Raises:
            ValueError: An array is missing or has another shape, or the scale is not above 0.
        """
        shapes = {"centre": (width,), "scale": (), "kernel": (width, dimension)}
        shapes |= {"bias": (dimension,)}
        found = {name: array.shape for name, array in arrays.items()}
        if found != shapes or not arrays["scale"] > 0:
            raise ValueError(f"a block's projection must have arrays of {shapes}; got {found}")
        return cls(arrays["centre"], float(arrays["scale"]), arrays["kernel"], arrays["bias"])


@dataclass(frozen=True, eq=False)
class FrozenItemTower:
    """v(i) = length(i) normalise( E[i] + sum over blocks b of has_b(i) P_b x_b(i) ).

    Attributes:
        dimension: Width of v.
        items: Number of trained items.
        projections: P of each block, by name.
        ids: E, float32 ``[items, d]``, zeros for cold items; None without id vectors.
        lengths: float32 ``[items]``; None where every vector has length 1.
    """

    dimension: int
    items: int
    projections: Mapping[str, FrozenProjection]
    ids: Vectors | None = None
    lengths: Vectors | None = None

    @property
    def widths(self) -> dict[str, int]:
        """Width of each block, by name."""
        return {name: len(each.centre) for name, each in self.projections.items()}

    def encode(self, blocks: Sequence[FeatureBlock], rows: Rows | None = None) -> Vectors:
        """Vectors of items, float32 ``[n, d]``; see :meth:`recsys.towers.Towers.encode_items`."""
        read = blocks_read(blocks, self.widths)
        count = len(next(iter(read.values())))
        if rows is not None:
            self._check_rows(rows, count)
        out = np.zeros((count, self.dimension), np.float32)
        widest = max(self.dimension, *self.widths.values())
        step = max(1, NUMBERS_PER_CALL // widest)
        with np.errstate(over="ignore", invalid="ignore"):
            for part in (slice(start, start + step) for start in range(0, count, step)):
                self._encode(out[part], read, part, None if rows is None else rows[part])
        finite = np.isfinite(out).all(axis=1)
        if not finite.all():
            raise DataError(
                f"the vector of item {int(np.argmin(finite))} is not finite: its feature blocks"
                " hold numbers far beyond those of the training; check its attributes"
            )
        return out

    def _encode(
        self, out: Vectors, read: Mapping[str, FeatureBlock], part: slice, rows: Rows | None
    ) -> None:
        for name, block in read.items():
            mask = block.mask[part]
            out[mask] += self.projections[name].project(block.vectors[part][mask])
        lengths: Any = 1.0 if self.lengths is None else self.lengths.min(initial=1.0)
        if rows is not None:
            if self.ids is not None:
                out += self.ids[rows]
            if self.lengths is not None:
                lengths = self.lengths[rows, None]
        squares = np.einsum("nd,nd->n", out, out)[:, None]
        squares[np.isinf(squares)] = np.nan
        out *= lengths / np.sqrt(np.maximum(squares, _SHORTEST))

    def _check_rows(self, rows: Rows, count: int) -> None:
        if rows.shape != (count,) or rows.dtype.kind not in "iu":
            raise DataError(
                f"rows must hold one row per item: {count}; got {rows.dtype} {rows.shape}"
            )
        if count and not 0 <= rows.min() <= rows.max() < self.items:
            raise DataError(
                f"rows must be those of the {self.items} trained items; got {rows.min()} to"
                f" {rows.max()}: leave rows out for items unknown to training"
            )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything but the id vectors, by name; :meth:`from_arrays` reads it."""
        arrays = {
            f"{number}/{part}": array
            for number, each in enumerate(self.projections.values())
            for part, array in each.arrays().items()
        }
        return arrays if self.lengths is None else {**arrays, "lengths": self.lengths}

    @classmethod
    def from_arrays(
        cls,
        arrays: Arrays,
        widths: Mapping[str, int],
        dimension: int,
        *,
        ids: Vectors | None,
        items: int,
    ) -> FrozenItemTower:
        """The tower over blocks of these widths.

        Args:
            arrays: As :meth:`arrays` gave them.
            widths: Width of each block, by name, in order.
            dimension: d.
            ids: As in the attributes.
            items: Number of trained items, where neither ids nor lengths state it.

        Raises:
            ValueError: An array is missing or has another shape.
        """
        projections = {}
        for number, (name, width) in enumerate(widths.items()):
            prefix = f"{number}/"
            own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            projections[name] = FrozenProjection.from_arrays(own, width, dimension)
        lengths = arrays.get("lengths")
        counts = [part.shape[:1] for part in (ids, lengths) if part is not None]
        if len(set(counts)) > 1 or (lengths is not None and lengths.ndim != 1):
            raise ValueError(
                f"id vectors and lengths must be those of the same items; got {counts}"
            )
        return cls(dimension, counts[0][0] if counts else items, projections, ids, lengths)


def blocks_read(
    blocks: Sequence[FeatureBlock], widths: Mapping[str, int]
) -> dict[str, FeatureBlock]:
    """The blocks that a tower reads, by name; others are ignored.

    Raises:
        DataError: One is missing, given twice, or of another width, or has another number of items.
    """
    given = {block.name: block for block in blocks}
    read = {name: given[name] for name in widths if name in given}
    for name, width in widths.items():
        if name not in given:
            raise DataError(
                f"the item tower reads the feature blocks {', '.join(widths)}; got"
                f" {', '.join(given) or 'none'}: pass '{name}' too, and mask the items that lack it"
            )
        if sum(block.name == name for block in blocks) > 1:
            raise DataError(f"the feature block '{name}' is given more than once: pass one of them")
        if read[name].dimension != width:
            raise DataError(
                f"the item tower reads {width} columns of the feature block '{name}'; got"
                f" {read[name].dimension}: encode it with the encoders of the training"
            )
    counts = {name: len(block) for name, block in read.items()}
    if len(set(counts.values())) > 1:
        raise DataError(f"feature blocks must hold the same items; got {counts} rows")
    return read
