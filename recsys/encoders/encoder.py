"""The interface of all encoders, and their result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from recsys.config import Config
from recsys.encoders.contents import Contents, Fault
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.vectors import MaskedVectors

Kind = Literal["text", "image"]


@dataclass(frozen=True, eq=False)
class Encoded(MaskedVectors):
    """Unit vectors of some contents, in their order.

    A content is masked if there is nothing to encode, or nothing that can be encoded.

    Attributes:
        faults: Contents that cannot be read, by position.

    Example:
        >>> Encoded.of(np.array([[3.0, 4.0], [0.0, 0.0]])).mask.tolist()
        [True, False]
    """

    faults: tuple[Fault, ...] = ()

    @classmethod
    def of(cls, raw: Vectors, faults: Iterable[Fault] = ()) -> Encoded:
        """Scale each row of ``raw``, float ``[n, d]``, to length 1; a row of zeros is masked.

        Raises:
            EncoderError: A number is not finite.
        """
        raw = np.ascontiguousarray(raw, np.float32)
        lengths = np.sqrt(np.einsum("nd,nd->n", raw, raw, dtype=np.float64))
        if not np.isfinite(lengths).all():
            bad = int(np.flatnonzero(~np.isfinite(lengths))[0])
            raise EncoderError(
                f"the vector at position {bad} is not finite; the encoder's weights are damaged "
                "or its training diverged: build it again"
            )
        mask = lengths > 1e-30
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=mask)
        return cls((raw * scale[:, None]).astype(np.float32), mask, tuple(faults))


class Encoder(Protocol):
    """Maps contents of one kind to vectors of one length, deterministically.

    Attributes:
        name: Name in the registry.
        kind: Kind of contents that it reads.
        config: Configuration that it was built from.
        dimension: Length of the vectors.
        fingerprint: Hash that changes whenever the vectors could; the same after save and load.
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def config(self) -> Config: ...
    @property
    def dimension(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...

    def encode(self, contents: Contents) -> Encoded:
        """The vectors of ``contents``, ``[n, dimension]``."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything that ``load_encoder`` needs to ``folder``, replacing it atomically."""
        ...
