"""An encoder that counts its calls, for tests of the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recsys.config import Config
from recsys.encoders import Content, Encoded, Fault, Kind


class Letters(Config):
    """Nothing to choose."""


class CountingEncoder:
    """Counts letters; "" has no vector, a text that starts with "!" is broken."""

    name = "letters"
    kind: Kind = "text"
    config = Letters()
    dimension = 26

    def __init__(self, fingerprint: str = "one", *, dies_at: int | None = None) -> None:
        self.fingerprint = fingerprint
        self.dies_at = dies_at
        self.requests: list[Content] = []

    def encode(self, contents: Sequence[Content]) -> Encoded:
        if self.dies_at is not None and len(self.requests) >= self.dies_at:
            raise KeyboardInterrupt
        self.requests.extend(contents)
        raw = np.zeros((len(contents), 26), np.float32)
        faults = []
        for position, content in enumerate(contents):
            text = str(content or "")
            if text.startswith("!"):
                faults.append(Fault(position, f"{text} is broken"))
                continue
            for letter in text.lower():
                if letter.isascii() and letter.isalpha():
                    raw[position, ord(letter) - ord("a")] += 1
        return Encoded.of(raw, faults)

    def save(self, folder: Path) -> None:
        raise NotImplementedError("the cache saves no encoder")
