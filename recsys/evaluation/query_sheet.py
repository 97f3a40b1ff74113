"""One query and its answer as one picture: what was asked above, what was found below.

A table of ids does not show whether pictures look alike; this does.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont, ImageOps

SIDE = 144
"""Pictures are made to fit a square of so many pixels."""

_GAP, _LINE, _LINES, _ACROSS, _LETTERS = 14, 15, 3, 6, 22
_INK, _PALE, _EMPTY = "#1f2933", "#7b8794", "#e4e7eb"
_FONT = "fonts/ttf/DejaVuSans.ttf"


@dataclass(frozen=True, eq=False)
class Tile:
    """One thing on a sheet.

    Attributes:
        title: Its words, shown below the picture, or in its place where there is none.
        picture: RGB, of any size, or None.
        note: A line in a paler ink, such as a rank and a score.
    """

    title: str
    picture: Image.Image | None = None
    note: str = ""


def draw_query_sheet(asked: Sequence[Tile], found: Sequence[Tile]) -> Image.Image:
    """The sheet, RGB; six cards in a row.

    Example:
        >>> red = Image.new("RGB", (60, 60), "red")
        >>> draw_query_sheet([Tile("red", red)], [Tile("a lamp"), Tile("a rug")]).size
        (962, 508)
    """
    width = _ACROSS * (SIDE + _GAP) + _GAP
    high = SIDE + (_LINES + 1) * _LINE + _GAP
    sections = (("asked", asked), ("found", found))
    rows = [-(-max(len(cards), 1) // _ACROSS) for _, cards in sections]
    height = sum(rows) * high + len(sections) * (_LINE + _GAP) + _GAP
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for (name, cards), lines in zip(sections, rows):
        draw.text((_GAP, top), name, fill=_PALE, font=_font())
        top += _LINE + _GAP // 2
        for place, card in enumerate(cards):
            down, across = divmod(place, _ACROSS)
            _draw(card, sheet, _GAP + across * (SIDE + _GAP), top + down * high)
        top += lines * high + _GAP // 2
    return sheet


def _draw(card: Tile, sheet: Image.Image, left: int, top: int) -> None:
    draw, font, under = ImageDraw.Draw(sheet), _font(), top + SIDE + 3
    lines = textwrap.wrap(card.title, _LETTERS, max_lines=_LINES, placeholder=" ...")
    if card.picture is None:
        draw.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), fill=_EMPTY)
        draw.text((left + 3, top + SIDE // 3), "\n".join(lines), fill=_INK, font=font)
        draw.text((left, under), card.note, fill=_PALE, font=font)
        return
    fitted = ImageOps.contain(card.picture, (SIDE, SIDE))
    sheet.paste(fitted, (left + (SIDE - fitted.width) // 2, top + (SIDE - fitted.height) // 2))
    for number, line in enumerate(lines):
        draw.text((left, under + number * _LINE), line, fill=_INK, font=font)
    draw.text((left, under + len(lines) * _LINE), card.note, fill=_PALE, font=font)


@cache
def _font() -> ImageFont.FreeTypeFont:
    # The one that matplotlib brings along: it has the letters of most languages.
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / _FONT, 11)
