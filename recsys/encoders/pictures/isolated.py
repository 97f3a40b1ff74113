"""A picture encoder whose pictures are decoded elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.config import Config
from recsys.encoders.contents import Contents
from recsys.encoders.encoder import Encoded, Encoder, Kind
from recsys.encoders.pictures.encoder import PictureEncoder
from recsys.pictures.isolation import Decoder


@dataclass(frozen=True, eq=False)
class IsolatedPictureEncoder:
    """An encoder with the vectors of another one, whose pictures a decoder decodes.

    Attributes:
        encoder: The other encoder.
        decoder: The decoder, such as an ``IsolatedDecoder`` for pictures of unknown origin.
    """

    encoder: PictureEncoder
    decoder: Decoder

    @property
    def name(self) -> str:
        """Name in the registry."""
        return self.encoder.name

    @property
    def kind(self) -> Kind:
        """Kind of contents."""
        return self.encoder.kind

    @property
    def config(self) -> Config:
        """Configuration."""
        config: Config = self.encoder.config
        return config

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self.encoder.dimension

    @property
    def fingerprint(self) -> str:
        """Fingerprint."""
        return self.encoder.fingerprint

    def encode(self, contents: Contents) -> Encoded:
        """See :class:`~recsys.encoders.encoder.Encoder`."""
        return self.encoder.encode(contents, self.decoder.square)

    def save(self, folder: Path) -> None:
        """Save the other encoder."""
        self.encoder.save(folder)


def isolated(encoder: Encoder, decoder: Decoder) -> Encoder:
    """The encoder with another decoder; one that decodes no pictures stays as it is."""
    if isinstance(encoder, PictureEncoder):
        return IsolatedPictureEncoder(encoder, decoder)
    return encoder
