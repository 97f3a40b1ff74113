"""Pictures for the tests, drawn on the spot, and their files in every odd mode."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

SIDE = 40


def file_of(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def drawing(number: int) -> Image.Image:
    """A disc or a box on a ground; place, size and colours follow from ``number``."""
    rng = np.random.default_rng(number)
    ground, ink = (tuple(int(part) for part in rng.integers(256, size=3)) for _ in range(2))
    image = Image.new("RGB", (SIDE, SIDE), ground)
    left, top = (int(part) for part in rng.integers(2, 15, size=2))
    size = int(rng.integers(8, 22))
    shape = ImageDraw.Draw(image)
    draw = shape.ellipse if number % 2 else shape.rectangle
    draw((left, top, left + size, top + size), fill=ink)
    return image


@cache
def _files(count: int) -> tuple[bytes, ...]:
    return tuple(file_of(drawing(number)) for number in range(count))


def made_pictures(count: int) -> list[bytes]:
    return list(_files(count))


def picture_file(mode: str) -> bytes:
    """A small file whose pixels are of a Pillow mode."""
    image = drawing(1)
    if mode == "I;16":
        grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
        return file_of(Image.fromarray(grey))
    if mode == "CMYK":
        return file_of(image.convert(mode), "JPEG")
    return file_of(image.convert(mode))


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims ``side`` squared pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
