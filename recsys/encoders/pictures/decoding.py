"""Decoding of many contents to squares of pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.encoders.contents import Contents, Fault, files_of
from recsys.pictures.decoding import Broken, Pixels, decode

Decode = Callable[[bytes, int], Pixels | Broken]
"""Function of a file and a size that returns uint8 ``[size, size, 3]``."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """The readable pictures among some contents.

    Attributes:
        pixels: Decoded pictures, uint8 ``[m, size, size, 3]``.
        positions: Position of each among the contents, int64 ``[m]``, ascending.
        faults: Contents that cannot be read; None is not a fault.
    """

    pixels: Pixels
    positions: npt.NDArray[np.int64]
    faults: tuple[Fault, ...]


def decode_all(contents: Contents, size: int, decode: Decode = decode) -> Decoded:
    """Decode every content that is not None."""
    readable: list[Pixels] = []
    positions: list[int] = []
    faults: list[Fault] = []
    for position, content in enumerate(files_of(contents)):
        if content is None:
            continue
        decoded = decode(content, size)
        if isinstance(decoded, Broken):
            faults.append(Fault(position, decoded.reason))
        else:
            readable.append(decoded)
            positions.append(position)
    pixels = np.stack(readable) if readable else np.zeros((0, size, size, 3), np.uint8)
    return Decoded(pixels, np.asarray(positions, np.int64), tuple(faults))
