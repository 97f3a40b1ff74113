"""The sprite of a set of embeddings: one picture that holds a thumbnail of each, row by row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from recsys.export.embeddings import Embeddings
from recsys.progress import Progress, silent

LARGEST = 8192
"""Largest side of a sprite in pixels: browsers refuse larger textures."""

SIDE, LEAST_SIDE = 64, 8
"""Largest and smallest side of a thumbnail in pixels."""

BLANK = (236, 236, 236)
"""Color of the tile of an item without a picture."""


@dataclass(frozen=True)
class Grid:
    """Layout of a sprite.

    Attributes:
        side: Side of a thumbnail, in pixels.
        columns: Number of thumbnails per row.
        rows: Number of rows.

    Example:
        >>> grid_of(2_000), grid_of(100_000), grid_of(2_000_000)
        (Grid(side=64, columns=45, rows=45), Grid(side=25, columns=317, rows=316), None)
    """

    side: int
    columns: int
    rows: int


def grid_of(count: int) -> Grid | None:
    """The layout for ``count`` thumbnails, at least 1; None where they would be too small to see.

    The projector finds the n-th thumbnail by dividing the width of the picture by the side, so
    that only the last row may be short.
    """
    columns = math.isqrt(count - 1) + 1
    side = min(SIDE, LARGEST // columns)
    return Grid(side, columns, -(-count // columns)) if side >= LEAST_SIDE else None


def write_sprite(
    embeddings: Embeddings, grid: Grid, path: Path, *, progress: Progress = silent
) -> int:
    """Draw every thumbnail; returns the number of items with one."""
    assert embeddings.thumbnail is not None
    side, drawn = grid.side, 0
    sprite = Image.new("RGB", (grid.columns * side, grid.rows * side), BLANK)
    for index in range(len(embeddings)):
        small = embeddings.thumbnail(index, side)
        if small is not None:
            small = ImageOps.contain(small, (side, side))  # enlarged if smaller
            row, column = divmod(index, grid.columns)
            left, top = (side - small.width) // 2, (side - small.height) // 2
            sprite.paste(small, (column * side + left, row * side + top))
            drawn += 1
        if index % 100 == 99 or index + 1 == len(embeddings):
            progress(f"sprite of {embeddings.name}", index + 1, len(embeddings))
    sprite.save(path, "PNG")
    return drawn
