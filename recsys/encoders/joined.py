"""The encoder "joined": concatenation of several text encoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoders.configs import JoinedConfig
from recsys.encoders.contents import Contents
from recsys.encoders.encoder import Encoded
from recsys.encoders.registry import build_encoder, restore_encoder
from recsys.encoders.storage import EncoderParts, StoredEncoder
from recsys.progress import Progress


@dataclass(frozen=True, eq=False)
class Joined(StoredEncoder):
    """A text encoder over others; see :class:`~recsys.encoders.configs.JoinedConfig`.

    Attributes:
        encoders: Encoders, in the order of ``config.parts``.

    Example:
        >>> from recsys.encoders import BagOfWordsConfig, LsaConfig
        >>> bag, lsa = BagOfWordsConfig(min_count=1), LsaConfig(dimension=1, min_count=1)
        >>> config = JoinedConfig(parts=(bag, lsa))
        >>> encoder = build_encoder(config, ["red lamp", "red rug"])
        >>> [part.dimension for part in encoder.encoders], encoder.dimension
        ([3, 1], 4)
    """

    config: JoinedConfig
    encoders: tuple[StoredEncoder, ...]

    @classmethod
    def build(
        cls, config: JoinedConfig, training: Contents, checkpoints: Path | None, progress: Progress
    ) -> Joined:
        """Build each part, with its own folder of checkpoints."""
        encoders: list[Any] = []
        for number, part in enumerate(config.parts):
            folder = None if checkpoints is None else checkpoints / str(number)
            encoders.append(build_encoder(part, training, checkpoints=folder, progress=progress))
        return cls(config, tuple(encoders))

    @classmethod
    def restore(cls, config: JoinedConfig, parts: EncoderParts) -> Joined:
        """The encoder of saved parts."""
        encoders = []
        for number, part in enumerate(config.parts):
            prefix = f"{number}."
            own = {key.removeprefix(prefix): parts[key] for key in parts if key.startswith(prefix)}
            encoders.append(restore_encoder(part, own))
        return cls(config, tuple(encoders))

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return sum(encoder.dimension for encoder in self.encoders)

    def parts(self) -> EncoderParts:
        """The parts of each encoder, prefixed with its number."""
        return {
            f"{number}.{name}": part
            for number, encoder in enumerate(self.encoders)
            for name, part in encoder.parts().items()
        }

    @property
    def settings(self) -> Mapping[str, Any]:
        """Scales, and the names and settings of the encoders."""
        parts = [[encoder.name, encoder.settings] for encoder in self.encoders]
        return {"scales": self._scales, "parts": parts}

    def encode(self, contents: Contents) -> Encoded:
        """See :class:`~recsys.encoders.encoder.Encoder`; masked if no part has a vector."""
        encoded = [part.encode(contents) for part in self.encoders]
        vectors = [scale * part.vectors for scale, part in zip(self._scales, encoded)]
        return Encoded.of(np.concatenate(vectors, axis=1))

    @cached_property
    def _scales(self) -> tuple[float, ...]:
        return self.config.scales or (1.0,) * len(self.encoders)
