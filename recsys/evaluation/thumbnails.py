"""Thumbnails of items; a picture that is missing or cannot be decoded is None."""

from __future__ import annotations

import base64

from PIL import Image

from recsys.catalogue import Catalogue
from recsys.pictures.decoding import Broken, read_picture


def thumbnail(catalogue: Catalogue, row: int, side: int) -> Image.Image | None:
    """One item's picture within a square of ``side`` pixels, RGB on white."""
    try:
        content = catalogue.image(row)
    except Exception:  # an external archive can be damaged in any way
        return None
    return None if content is None else thumbnail_from_bytes(content, side)


def thumbnail_from_bytes(content: bytes, side: int) -> Image.Image | None:
    """The thumbnail of an image file."""
    picture = read_picture(content, side)
    if isinstance(picture, Broken):
        return None
    picture.thumbnail((side, side))
    return picture


def data_url(content: bytes, form: str = "png") -> str:
    """An image file as a data URL, for a page that loads nothing from outside."""
    return f"data:image/{form};base64," + base64.b64encode(content).decode("ascii")
