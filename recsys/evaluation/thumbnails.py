"""Small pictures of items, for people to look at.

A picture that is missing or cannot be decoded is None; nothing fails for the sake of a picture.
"""

from __future__ import annotations

import base64
import io
import warnings

from PIL import Image, ImageOps

from recsys.catalogue import Catalogue

MAX_PIXELS = 50_000_000
"""A larger picture is not decoded."""


def thumbnail(catalogue: Catalogue, row: int, side: int) -> Image.Image | None:
    """One item's picture within a square of ``side`` pixels, its shape kept, RGB on white."""
    try:
        content = catalogue.image(row)
    except Exception:  # an archive from outside can be damaged in any way
        return None
    return None if content is None else thumbnail_from_bytes(content, side)


def thumbnail_from_bytes(content: bytes, side: int) -> Image.Image | None:
    """The picture of a file's bytes, as :func:`thumbnail` gives it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow finds odd in a file is of no use here
            with Image.open(io.BytesIO(content)) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    return None
                opened.draft("RGB", (side, side))
                small = ImageOps.exif_transpose(opened).convert("RGBA")
        small.thumbnail((side, side))
        flat = Image.new("RGB", small.size, "white")
        flat.paste(small, mask=small.getchannel("A"))
    except Exception:  # foreign bytes can make a decoder raise anything at all
        return None
    return flat


def data_url(content: bytes, form: str = "png") -> str:
    """An image file as a data URL, for a page that loads nothing from outside."""
    return f"data:image/{form};base64," + base64.b64encode(content).decode("ascii")
