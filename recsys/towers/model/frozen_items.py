"""The item tower after training, as arrays: feature blocks in, item vectors out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from recsys.errors import DataError
from recsys.features import FeatureBlock
from recsys.ids import Rows, Vectors

Arrays = Mapping[str, npt.NDArray[Any]]
NUMBERS_PER_CALL = 1 << 24
"""Inputs or outputs of a layer in one pass; bounds memory, not results."""
_SHORTEST = 1e-12
"""As in ``tf.math.l2_normalize``."""


@dataclass(frozen=True, eq=False)
class FrozenProjection:
    """P x = A z + a, or A gelu(B z + b) + a, with z = (x - centre) / scale.

    Attributes:
        centre: float32 ``[w]``.
        scale: A number above 0.
        layers: Kernel ``[inputs, outputs]`` and bias ``[outputs]`` of each layer.
    """

    centre: Vectors
    scale: float
    layers: tuple[tuple[Vectors, Vectors], ...]

    @property
    def widest(self) -> int:
        """Largest number of inputs or outputs of a layer."""
        return max(len(part) for layer in self.layers for part in layer)

    def project(self, vectors: Vectors) -> Vectors:
        """Vectors ``[n, w]`` of a block as float32 ``[n, d]``."""
        x: Vectors = (vectors - self.centre) / np.float32(self.scale)
        for number, (kernel, bias) in enumerate(self.layers):
            if number:
                x = 0.5 * x * (1 + erf(x * np.float32(np.sqrt(0.5))))
            x = x @ kernel + bias
        return x

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name; :meth:`from_arrays` reads it."""
        layers = {
            f"{part}-{number}": array
            for number, layer in enumerate(self.layers)
            for part, array in zip(("kernel", "bias"), layer)
        }
        return {"centre": self.centre, "scale": np.array(self.scale, np.float32), **layers}

    @classmethod
    def from_arrays(cls, arrays: Arrays, widths: Sequence[int]) -> FrozenProjection:
        """The projection between layers of these widths.

        Raises:
            ValueError: An array is missing or has another shape, or the scale is not above 0.
        """
        shapes: dict[str, tuple[int, ...]] = {"centre": (widths[0],), "scale": ()}
        for number, pair in enumerate(zip(widths, widths[1:])):
            shapes |= {f"kernel-{number}": pair, f"bias-{number}": pair[1:]}
        found = {name: array.shape for name, array in arrays.items()}
        if found != shapes or not arrays["scale"] > 0:
            raise ValueError(f"a block's projection must have arrays of {shapes}; got {found}")
        layers = tuple(
            (arrays[f"kernel-{number}"], arrays[f"bias-{number}"])
            for number in range(len(widths) - 1)
        )
        return cls(arrays["centre"], float(arrays["scale"]), layers)


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
        widest = max(each.widest for each in self.projections.values())
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

    def take(self, rows: Rows) -> FrozenItemTower:
        """The tower for some of the trained items, in the order of ``rows``."""
        ids = None if self.ids is None else np.asarray(self.ids[rows])
        lengths = None if self.lengths is None else self.lengths[rows]
        return replace(self, items=len(rows), ids=ids, lengths=lengths)

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
        layers: Sequence[int],
        *,
        ids: Vectors | None,
        items: int,
    ) -> FrozenItemTower:
        """The tower over blocks of these widths.

        Args:
            arrays: As :meth:`arrays` gave them.
            widths: Width of each block, by name, in order.
            layers: Widths of the layers after a block; the last is d.
            ids: As in the attributes.
            items: Number of trained items, where neither ids nor lengths state it.

        Raises:
            ValueError: An array is missing or has another shape.
        """
        projections = {}
        for number, (name, width) in enumerate(widths.items()):
            prefix = f"{number}/"
            own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            projections[name] = FrozenProjection.from_arrays(own, [width, *layers])
        lengths = arrays.get("lengths")
        counts = [part.shape[:1] for part in (ids, lengths) if part is not None]
        if len(set(counts)) > 1 or (lengths is not None and lengths.ndim != 1):
            raise ValueError(
                f"id vectors and lengths must be those of the same items; got {counts}"
            )
        return cls(layers[-1], counts[0][0] if counts else items, projections, ids, lengths)


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
