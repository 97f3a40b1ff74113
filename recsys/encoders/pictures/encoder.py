"""Base class of the picture encoders: decode in batches, then map pixels to vectors."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from recsys.encoders.contents import Contents
from recsys.encoders.encoder import Encoded, Kind
from recsys.encoders.pictures.decoding import Decode, decode_all
from recsys.encoders.storage import StoredEncoder
from recsys.ids import Vectors
from recsys.pictures.decoding import Pixels, decode


class PictureEncoder(StoredEncoder):
    """An encoder of pictures of one size."""

    kind: ClassVar[Kind] = "image"

    @property
    def size(self) -> int:
        """Side of the input in pixels; that of the configuration unless overridden."""
        return int(self.config.size)

    @abstractmethod
    def vectors_of(self, pixels: Pixels) -> Vectors:
        """The vectors ``[n, d]`` of uint8 ``[n, size, size, 3]``, not scaled; n is at least 1."""

    def encode(self, contents: Contents, decode: Decode = decode) -> Encoded:
        """See :class:`~recsys.encoders.encoder.Encoder`; ``decode`` decodes each file."""
        raw = np.zeros((len(contents), self.dimension), np.float32)
        faults = []
        step = getattr(self.config, "batch_size", 32)
        for start in range(0, len(contents), step):
            decoded = decode_all(contents[start : start + step], self.size, decode)
            faults += [fault.moved(start) for fault in decoded.faults]
            if len(decoded.positions):
                raw[start + decoded.positions] = self.vectors_of(decoded.pixels)
        return Encoded.of(raw, faults)
