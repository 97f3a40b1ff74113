"""Number of pixels of a picture by the header of its file.

A few bytes are read, whatever the file holds. A library that decodes would already unpack comments
and allocate a canvas when it opens a file.
"""

from __future__ import annotations

import struct

_JPEG_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TIFF_SIZE_TAGS = {256: "width", 257: "height"}
_TIFF_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MOST_TAGS = 1_000
_AVIF_SIZE = b"ispe"


def pixel_count(content: bytes) -> int | None:
    """Width times height as the header states them, or None if it cannot be read.

    Example:
        >>> pixel_count(b"not a picture") is None
        True
        >>> pixel_count(b"GIF89a" + (300).to_bytes(2, "little") + (2).to_bytes(2, "little"))
        600
    """
    try:
        size = _size(content)
    except (struct.error, IndexError, KeyError, OverflowError):  # the header ends too early
        return None
    return None if size is None else size[0] * size[1]


def _size(content: bytes) -> tuple[int, int] | None:
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _pair(">II", content, 16)
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return _pair("<HH", content, 6)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    if content[:2] == b"BM":
        if _number("<I", content, 14) == 12:
            return _pair("<HH", content, 18)
        width, height = _pair("<ii", content, 18)
        return abs(width), abs(height)
    if content[:2] in (b"II", b"MM"):
        return _tiff(content, "<" if content[:2] == b"II" else ">")
    if content[4:8] == b"ftyp" and _AVIF_SIZE in content:
        return _pair(">II", content, content.index(_AVIF_SIZE) + 8)
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """The size in the first frame header."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _JPEG_SIZE_MARKERS:
            height, width = _pair(">HH", content, at + 5)
            return width, height
        without_length = marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8
        at += 1 if marker == 0xFF else 2
        if not without_length:
            at += max(2, _number(">H", content, at))
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        return width, int.from_bytes(content[27:30], "little") + 1
    if kind == b"VP8L":
        bits = _number("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = _pair("<HH", content, 26)
    return width & 0x3FFF, height & 0x3FFF


def _tiff(content: bytes, order: str) -> tuple[int, int] | None:
    """The size in the first directory of tags."""
    is_big = _number(order + "H", content, 2) == 43
    if is_big:
        at = _number(order + "Q", content, 8)
        count, at, entry, value = _number(order + "Q", content, at), at + 8, 20, 12
    else:
        at = _number(order + "I", content, 4)
        count, at, entry, value = _number(order + "H", content, at), at + 2, 12, 8
    found: dict[str, int] = {}
    for start in range(at, at + min(count, _MOST_TAGS) * entry, entry):
        tag, kind = _pair(order + "HH", content, start)
        if tag in _TIFF_SIZE_TAGS:
            number = _number(order + _TIFF_NUMBERS[kind], content, start + value)
            found[_TIFF_SIZE_TAGS[tag]] = number
    return found["width"], found["height"]


def _number(form: str, content: bytes, at: int) -> int:
    return int(struct.unpack_from(form, content, at)[0])


def _pair(form: str, content: bytes, at: int) -> tuple[int, int]:
    first, second = struct.unpack_from(form, content, at)
    return int(first), int(second)
