"""What an encoder is: raw text or pictures in, unit vectors and a mask out.

The interface, its result and nothing else; which encoders there are is in ``registry``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from recsys.config import Config
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.vectors import MaskedVectors

Kind = Literal["text", "image"]
Content = str | bytes | None
"""Words for a text encoder, a picture's file for an image encoder, None for neither."""


@dataclass(frozen=True)
class Fault:
    """A content that is there and cannot be read.

    Attributes:
        position: Where it stands among the contents given.
        reason: What is wrong with it.
    """

    position: int
    reason: str

    def moved(self, by: int) -> Fault:
        """The same fault among contents that start ``by`` earlier."""
        return Fault(self.position + by, self.reason)


@dataclass(frozen=True, eq=False)
class Encoded(MaskedVectors):
    """Unit vectors of some contents, in their order.

    A content is masked where there is nothing to encode, or nothing that can be.

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
    """Turns contents of one kind into vectors of one length; the same content, the same vector.

    Attributes:
        name: Its name in the registry.
        kind: What it reads.
        config: How it was built.
        dimension: Length of its vectors.
        fingerprint: Changes whenever the vectors could; the same after save and load.
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

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """The vectors of ``contents``, ``[n, dimension]``.

        Raises:
            EncoderError: A content is not of the encoder's kind.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write everything that ``load_encoder`` needs into ``folder``, replacing it whole."""
        ...


def texts_of(contents: Sequence[Content]) -> list[str]:
    """``contents`` as text, None as "".

    Raises:
        EncoderError: One is bytes.
    """
    for position, content in enumerate(contents):
        if isinstance(content, bytes):
            raise EncoderError(
                f"a text encoder reads str; position {position} holds bytes: "
                "give it the item's words, or use an image encoder"
            )
    return [content or "" for content in contents if not isinstance(content, bytes)]


def files_of(contents: Sequence[Content]) -> list[bytes | None]:
    """``contents`` as the bytes of picture files.

    Raises:
        EncoderError: One is text.
    """
    for position, content in enumerate(contents):
        if isinstance(content, str):
            raise EncoderError(
                f"an image encoder reads the bytes of picture files; position {position} holds "
                f"{content!r:.40}: read the file first, or use a text encoder"
            )
    return [content for content in contents if not isinstance(content, str)]
