"""The canvas of patterns and motifs: a Pillow drawing with colors and a random generator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ImageDraw

Ink = tuple[int, int, int]


@dataclass(frozen=True)
class Canvas:
    """A square drawing of `side` pixels: inks[0] is the ground, the others draw on it."""

    draw: ImageDraw.ImageDraw
    inks: list[Ink]
    rng: np.random.Generator
    side: int

    def between(self, low: float, high: float) -> int:
        """A random length, as shares of the side, in whole pixels."""
        return int(self.rng.uniform(low, high) * self.side)

    def point(self, margin: float) -> tuple[int, int]:
        return self.between(margin, 1 - margin), self.between(margin, 1 - margin)

    def disc(self, x: int, y: int, radius: int, ink: Ink, **options: Any) -> None:
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink, **options)

    def ring(self, x: int, y: int, radius: int, ink: Ink, width: int) -> None:
        box = (x - radius, y - radius, x + radius, y + radius)
        self.draw.ellipse(box, outline=ink, width=width)

    def ngon(self, x: int, y: int, radius: int, corners: int, ink: Ink, turn: float = 0.0) -> None:
        self.draw.polygon(around(x, y, radius, corners, turn), fill=ink)


def around(x: int, y: int, radius: float, count: int, turn: float) -> list[tuple[int, int]]:
    angles = [turn + 2 * math.pi * step / count for step in range(count)]
    return [(round(x + radius * math.cos(a)), round(y + radius * math.sin(a))) for a in angles]
