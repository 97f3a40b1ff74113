"""The item tower after training, as arrays: feature blocks in, item vectors out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from recsys.errors import DataError
from recsys.features import FeatureBlock
from recsys.ids import Rows, Vectors

Arrays = Mapping[str, npt.NDArray[Any]]
NUMBERS_PER_CALL = 1 << 24
"""Numbers of a block in one pass; bounds memory, not results."""
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
        projections: P of each block, by name.
        ids: E, float32 ``[items, d]``, zeros for cold items; None without id vectors.
        lengths: float32 ``[items]``; None where every vector has length 1.
    """

    dimension: int
    projections: Mapping[str, FrozenProjection]
    ids: Vectors | None = None
    lengths: Vectors | None = None

    @property
    def widths(self) -> dict[str, int]:
        """Width of each block, by name."""
        return {name: len(each.centre) for name, each in self.projections.items()}

    def encode(self, blocks: Sequence[FeatureBlock], rows: Rows | None = None) -> Vectors:
        """Vectors of items, float32 ``[n, d]``; see :meth:`recsys.towers.Towers.encode_items`."""
        read = self._checked(blocks)
        count = len(next(iter(read.values())))
        out = np.zeros((count, self.dimension), np.float32)
        for part in _parts(count, max(self.widths.values())):
            for name, block in read.items():
                mask = block.mask[part]
                out[part][mask] += self.projections[name].project(block.vectors[part][mask])
        lengths: Any = 1.0 if self.lengths is None else self.lengths.min(initial=1.0)
        if rows is not None:
            self._check_rows(rows, count)
            if self.ids is not None:
                out += self._id_vectors(rows)
            if self.lengths is not None:
                lengths = self.lengths[rows, None]
        squares = np.einsum("nd,nd->n", out, out)[:, None]
        out *= lengths / np.sqrt(np.maximum(squares, _SHORTEST))
        return out

    def _checked(self, blocks: Sequence[FeatureBlock]) -> dict[str, FeatureBlock]:
        given = {block.name: block for block in blocks}
        missing = [name for name in self.projections if name not in given]
        if missing:
            raise DataError(
                f"the item tower reads the feature blocks {', '.join(self.projections)}; got"
                f" {', '.join(given) or 'none'}: pass '{missing[0]}' too, and mask the items that"
                " lack it"
            )
        read = {name: given[name] for name in self.projections}
        for name, width in self.widths.items():
            if read[name].dimension != width:
                raise DataError(
                    f"the item tower reads {width} columns of the feature block '{name}'; got"
                    f" {read[name].dimension}: encode it with the encoders of the training"
                )
        counts = {name: len(block) for name, block in read.items()}
        if len(set(counts.values())) > 1:
            raise DataError(f"feature blocks must hold the same items; got {counts} rows")
        return read

    def _check_rows(self, rows: Rows, count: int) -> None:
        known = self.ids if self.ids is not None else self.lengths
        if len(rows) != count:
            raise DataError(f"rows must hold one row per item: {count}; got {len(rows)}")
        if known is not None and len(rows) and not 0 <= rows.min() <= rows.max() < len(known):
            raise DataError(
                f"rows must be those of the {len(known)} trained items; got {rows.min()} to"
                f" {rows.max()}: leave rows out for items unknown to training"
            )

    def _id_vectors(self, rows: Rows) -> Vectors:
        assert self.ids is not None
        vectors: Vectors = self.ids[rows]
        if not np.isfinite(vectors).all():
            raise DataError("the id vectors hold values that are not finite: train again")
        return vectors

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
        cls, arrays: Arrays, widths: Mapping[str, int], layers: Sequence[int], ids: Vectors | None
    ) -> FrozenItemTower:
        """The tower over blocks of these widths.

        Args:
            arrays: As :meth:`arrays` gave them.
            widths: Width of each block, by name, in order.
            layers: Widths of the layers after a block; the last is d.
            ids: As in the attributes.

        Raises:
            ValueError: An array is missing or has another shape.
        """
        projections = {}
        for number, (name, width) in enumerate(widths.items()):
            prefix = f"{number}/"
            own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            projections[name] = FrozenProjection.from_arrays(own, [width, *layers])
        lengths = arrays.get("lengths")
        if lengths is not None and lengths.shape != (len(lengths if ids is None else ids),):
            raise ValueError(f"the lengths of items must be one per item; got {lengths.shape}")
        return cls(layers[-1], projections, ids, lengths)


def _parts(count: int, width: int) -> Iterator[slice]:
    step = max(1, NUMBERS_PER_CALL // max(width, 1))
    for start in range(0, count, step):
        yield slice(start, start + step)
