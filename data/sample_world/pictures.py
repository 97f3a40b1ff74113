"""Small pictures, drawn with Pillow from the style of an item alone.

A style is a palette, a pattern and a motif. Hue, light, position, size, spacing and count vary, so
that two pictures of a style are similar without equal pixels.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from . import motifs, patterns
from .canvas import Canvas

SIDE = 48
_OVERSAMPLING = 4


@dataclass(frozen=True)
class Style:
    """A style: its name, a background and three inks, a pattern and a motif."""

    name: str
    palette: tuple[str, str, str, str]
    pattern: Callable[[Canvas], None]
    motif: Callable[[Canvas], None]


STYLES: tuple[Style, ...] = (
    Style("dawn", ("#f7d9c4", "#f2a07b", "#e2725b", "#fff3e2"), patterns.bands, motifs.sun),
    Style("north", ("#dfe7ec", "#8fa8b8", "#3f5f73", "#ffffff"), patterns.peaks, motifs.firs),
    Style("terrazzo", ("#f4efe6", "#d98c8c", "#c9a227", "#5f9ea0"), patterns.chips, motifs.arch),
    Style("picnic", ("#fbf1ee", "#e58a8a", "#c0392b", "#ffffff"), patterns.gingham, motifs.heart),
    Style("midnight", ("#1f2a52", "#33427a", "#f4d58d", "#e8ecff"), patterns.stars, motifs.moon),
    Style("meadow", ("#e3efd3", "#9fc490", "#4f8a4c", "#f6d860"), patterns.blades, motifs.leaf),
    Style("arcade", ("#ffe15c", "#ff5fa2", "#2ec4d6", "#3b2c59"), patterns.zigzags, motifs.blocks),
    Style("gatsby", ("#22201f", "#4a423a", "#cfa55b", "#efe2c4"), patterns.fans, motifs.diamond),
    Style("seaside", ("#cdeef2", "#6cc5d0", "#2a7f9e", "#ffffff"), patterns.waves, motifs.sail),
    Style("lilac", ("#efe3f5", "#c6a3dc", "#8253a5", "#fff4b8"), patterns.dots, motifs.flower),
)


def draw_pictures(styles: np.ndarray, rng: np.random.Generator) -> list[Image.Image]:
    """One RGB picture of SIDE x SIDE for each style number in `styles`, int, shape (items,)."""
    return [_draw(STYLES[style], rng) for style in styles]


def _draw(style: Style, rng: np.random.Generator) -> Image.Image:
    side = SIDE * _OVERSAMPLING
    inks = _vary(style.palette, rng)
    image = Image.new("RGB", (side, side), inks[0])
    canvas = Canvas(ImageDraw.Draw(image), inks, rng, side)
    style.pattern(canvas)
    style.motif(canvas)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def _vary(palette: tuple[str, ...], rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Turn the hue and the light of a whole palette a little; sometimes swap two inks."""
    turn, light = rng.normal(0.0, 0.035), rng.normal(1.0, 0.08)
    inks = []
    for code in palette:
        red, green, blue = (int(code[start : start + 2], 16) / 255 for start in (1, 3, 5))
        hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
        shade = min(max(lightness * (light + rng.normal(0.0, 0.03)), 0.0), 1.0)
        varied = colorsys.hls_to_rgb((hue + turn) % 1.0, shade, saturation)
        inks.append(tuple(round(255 * part) for part in varied))
    if rng.random() < 0.35:
        inks[0], inks[1] = inks[1], inks[0]
    return inks
