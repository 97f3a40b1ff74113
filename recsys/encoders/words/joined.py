"""The encoder "joined": the vectors of several encoders of words side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from recsys.encoders import registry, saved
from recsys.encoders.base import Content, Encoded, Encoder, Kind
from recsys.encoders.configs import JoinedConfig
from recsys.progress import Progress, silent

PARTS = "parts.json"


def build(
    config: JoinedConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> Joined:
    """Build each part on ``training``; each has a folder of its own for checkpoints.

    Raises:
        EncoderError: A part cannot be built.
    """
    parts = []
    for at, part in enumerate(config.parts):
        folder = None if checkpoints is None else checkpoints / str(at)
        parts.append(registry.build_encoder(part, training, checkpoints=folder, progress=progress))
    return Joined(config, tuple(parts))


@dataclass(frozen=True, eq=False)
class Joined(saved.SavedEncoder):
    """A text encoder over others; see :class:`~recsys.encoders.configs.JoinedConfig`.

    Attributes:
        config: How it was built.
        parts: The encoders, in the order of ``config.parts``.

    Example:
        >>> from recsys.encoders import BagOfWordsConfig, LsaConfig, build_encoder
        >>> bag, lsa = BagOfWordsConfig(min_count=1), LsaConfig(dimension=1, min_count=1)
        >>> config = JoinedConfig(parts=(bag, lsa))
        >>> encoder = build_encoder(config, ["red lamp", "red rug"])
        >>> [part.dimension for part in encoder.parts], encoder.dimension
        ([3, 1], 4)
    """

    config: JoinedConfig
    parts: tuple[Encoder, ...]

    @property
    def kind(self) -> Kind:
        return "text"

    @property
    def dimension(self) -> int:
        return sum(part.dimension for part in self.parts)

    @cached_property
    def fingerprint(self) -> str:
        own = {"scales": self._scales}
        prints = {str(at): part.fingerprint.encode() for at, part in enumerate(self.parts)}
        return saved.fingerprint_of(self.name, own, prints)

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """See :class:`~recsys.encoders.base.Encoder`; masked is what no part has a vector for."""
        encoded = [part.encode(contents) for part in self.parts]
        vectors = [scale * part.vectors for scale, part in zip(self._scales, encoded)]
        faults = {fault.position: fault for part in encoded for fault in part.faults}
        return Encoded.of(np.concatenate(vectors, axis=1), [faults[at] for at in sorted(faults)])

    @classmethod
    def restore(cls, parts: saved.Saved, config: JoinedConfig) -> Joined:
        """The encoder that :meth:`save` wrote."""
        facts = json.loads(parts.files[PARTS])
        restored = [
            registry.restored(
                saved.Saved(
                    name=part.name,
                    config=part.model_dump(mode="json"),
                    dimension=int(fact["dimension"]),
                    fingerprint=str(fact["fingerprint"]),
                    arrays=_of_part(parts.arrays, at),
                    files=_of_part(parts.files, at),
                ),
                source=f"part {at} of a '{parts.name}' encoder",
            )
            for at, (part, fact) in enumerate(zip(config.parts, facts, strict=True))
        ]
        return cls(config, tuple(restored))

    def arrays(self) -> Mapping[str, Any]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {
            f"{at}.{name}": array
            for at, part in enumerate(self._saved_parts)
            for name, array in part.arrays().items()
        }

    def files(self) -> Mapping[str, bytes]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        facts = [
            {"dimension": part.dimension, "fingerprint": part.fingerprint} for part in self.parts
        ]
        named = {
            f"{at}.{name}": content
            for at, part in enumerate(self._saved_parts)
            for name, content in part.files().items()
        }
        return {PARTS: json.dumps(facts).encode(), **named}

    @property
    def _saved_parts(self) -> list[saved.SavedEncoder]:
        return list(cast("tuple[saved.SavedEncoder, ...]", self.parts))

    @property
    def _scales(self) -> tuple[float, ...]:
        return self.config.scales or (1.0,) * len(self.parts)


def _of_part(named: Mapping[str, Any], at: int) -> dict[str, Any]:
    mine = f"{at}."
    return {name.removeprefix(mine): part for name, part in named.items() if name.startswith(mine)}
