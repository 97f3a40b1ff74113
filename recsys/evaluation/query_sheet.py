"""A query and its candidates as one picture, a grid of thumbnails."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont, ImageOps

SIDE = 144
"""Maximum width and height of a picture in pixels."""

_GAP, _LINE, _LINES, _ACROSS, _LETTERS = 14, 15, 3, 6, 22
_INK, _PALE, _EMPTY = "#1f2933", "#7b8794", "#e4e7eb"
_FONT = "fonts/ttf/DejaVuSans.ttf"


@dataclass(frozen=True, eq=False)
class Tile:
    """A tile: a picture, its title below or instead of it, and a pale note such as a score."""

    title: str
    picture: Image.Image | None = None
    note: str = ""


def draw_query_sheet(query: Sequence[Tile], candidates: Sequence[Tile]) -> Image.Image:
    """The sheet, RGB, with six tiles per line.

    Example:
        >>> red = Image.new("RGB", (60, 60), "red")
        >>> draw_query_sheet([Tile("red", red)], [Tile("a lamp"), Tile("a rug")]).size
        (962, 508)
    """
    width = _ACROSS * (SIDE + _GAP) + _GAP
    high = SIDE + (_LINES + 1) * _LINE + _GAP
    sections = (("query", query), ("candidates", candidates))
    lines = [-(-max(len(tiles), 1) // _ACROSS) for _, tiles in sections]
    height = sum(lines) * high + len(sections) * (_LINE + _GAP) + _GAP
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for (name, tiles), count in zip(sections, lines):
        draw.text((_GAP, top), name, fill=_PALE, font=_font())
        top += _LINE + _GAP // 2
        for at, tile in enumerate(tiles):
            down, across = divmod(at, _ACROSS)
            _draw(tile, sheet, _GAP + across * (SIDE + _GAP), top + down * high)
        top += count * high + _GAP // 2
    return sheet


def _draw(tile: Tile, sheet: Image.Image, left: int, top: int) -> None:
    draw, font, under = ImageDraw.Draw(sheet), _font(), top + SIDE + 3
    lines = textwrap.wrap(tile.title, _LETTERS, max_lines=_LINES, placeholder=" ...")
    if tile.picture is None:
        draw.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), fill=_EMPTY)
        draw.text((left + 3, top + SIDE // 3), "\n".join(lines), fill=_INK, font=font)
        draw.text((left, under), tile.note, fill=_PALE, font=font)
        return
    fitted = ImageOps.contain(tile.picture, (SIDE, SIDE))
    sheet.paste(fitted, (left + (SIDE - fitted.width) // 2, top + (SIDE - fitted.height) // 2))
    for number, line in enumerate(lines):
        draw.text((left, under + number * _LINE), line, fill=_INK, font=font)
    draw.text((left, under + len(lines) * _LINE), tile.note, fill=_PALE, font=font)


@cache
def _font() -> ImageFont.FreeTypeFont:
    # Part of matplotlib; covers most alphabets.
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / _FONT, 11)
