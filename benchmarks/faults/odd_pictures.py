"""Picture files that are made to harm: few bytes that take long, much memory, or end too early."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image

BYTES = 2 * 1024 * 1024
"""Number of bytes of the largest of them, which is the largest picture that a service reads."""


@cache
def odd_pictures() -> dict[str, bytes]:
    """The files by name; none is a picture of more than 16,000,000 pixels that can be decoded."""
    makers: dict[str, Callable[[], bytes]] = {
        "jpeg of very many scans": lambda: _scans(side=40, count=BYTES // 40),
        "jpeg of many scans": lambda: _scans(side=400, count=90),
        "png of many pixels": lambda: _file(Image.new("L", (4_000, 4_000)), "PNG"),
        "png that claims more pixels": lambda: _png(60_000),
        "png of unpacking comments": _comments,
        "png that ends early": lambda: _file(Image.new("RGB", (900, 900), (1, 2, 3)), "PNG")[:-900],
        "tiff of many pixels": lambda: _file(
            Image.new("1", (4_000, 4_000)), "TIFF", compression="tiff_lzw"
        ),
        "tiff that claims more pixels": lambda: _tiff(65_000),
        "tiff of circular directories": _circular_tiff,
        "webp of many pixels": lambda: _file(
            Image.new("L", (4_000, 4_000)), "WEBP", quality=1, method=0
        ),
        "webp that claims more pixels": _webp,
        "gif that claims more pixels": lambda: (
            b"GIF89a" + b"\xff" * 4 + b"\x00" * 3 + b"," + bytes(20)
        ),
        "gif of very many frames": _frames,
        "bmp that claims more pixels": lambda: (
            b"BM"
            + struct.pack(
                "<IHHIIiiHHIIiiII", 1 << 20, 0, 0, 54, 40, 60_000, -60_000, 1, 24, 0, 0, 0, 0, 0, 0
            )
        ),
        "jpeg that ends early": lambda: _scans(side=400, count=1)[:900],
        "noise": lambda: bytes(range(256)) * 400,
    }
    return {name: make() for name, make in makers.items()}


def _file(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _scans(side: int, count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    whole = _file(Image.radial_gradient("L").resize((side, side)), "JPEG", progressive=True)
    head, marker, last = whole[:-2].rpartition(b"\xff\xda")
    return head + (marker + last) * min(count, BYTES // (2 + len(last))) + b"\xff\xd9"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(side: int, *chunks: bytes) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(bytes(1 << 16)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def _comments() -> bytes:
    """A small picture with comments that unpack to just below what a reader allows."""
    comment = _chunk(b"zTXt", b"comment\0\0" + zlib.compress(bytes((1 << 20) - 1), 9))
    return _png(40, *[comment] * 60)


def _tiff(side: int) -> bytes:
    tags = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 8), (262, 3, 1), (273, 4, 200),
            (277, 3, 1), (278, 4, side), (279, 4, 100)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)
    return head.ljust(200, b"\0") + zlib.compress(bytes(1 << 20))


def _circular_tiff() -> bytes:
    """A TIFF whose only directory is followed by itself."""
    whole = bytearray(_tiff(40))
    count = struct.unpack_from("<H", whole, 8)[0]
    struct.pack_into("<I", whole, 10 + 12 * count, 8)
    return bytes(whole)


def _webp() -> bytes:
    """A canvas of 16,384 x 16,384 pixels without a frame."""
    canvas = b"VP8X" + struct.pack("<II", 10, 0x10) + b"\xff\x3f\0" * 2
    return b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas


def _frames() -> bytes:
    first, second = (Image.new("P", (300, 300), colour) for colour in (1, 2))
    return _file(first, "GIF", save_all=True, append_images=[second, first] * 300)
