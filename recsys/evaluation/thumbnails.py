"""Thumbnails of items; a picture that is missing or cannot be decoded is None."""

from __future__ import annotations

import base64
import io
import warnings

from PIL import Image, ImageOps

from recsys.catalogue import Catalogue

MAX_PIXELS = 50_000_000
"""Larger pictures are not decoded."""


def thumbnail(catalogue: Catalogue, row: int, side: int) -> Image.Image | None:
    """One item's picture within a square of ``side`` pixels, RGB on white."""
    try:
        content = catalogue.image(row)
    except Exception:  # an external archive can be damaged in any way
        return None
    return None if content is None else thumbnail_from_bytes(content, side)


def thumbnail_from_bytes(content: bytes, side: int) -> Image.Image | None:
    """The thumbnail of an image file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    return None
                opened.draft("RGB", (side, side))
                small = ImageOps.exif_transpose(opened).convert("RGBA")
        small.thumbnail((side, side))
        flat = Image.new("RGB", small.size, "white")
        flat.paste(small, mask=small.getchannel("A"))
    except Exception:  # external bytes can make a decoder raise any exception
        return None
    return flat


def data_url(content: bytes, form: str = "png") -> str:
    """An image file as a data URL, for a page that loads nothing from outside."""
    return f"data:image/{form};base64," + base64.b64encode(content).decode("ascii")
