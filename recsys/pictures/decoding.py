"""Decoding of picture files to RGB pixels and thumbnails.

Files come from outside: each odd case has a defined result, and no content raises, exhausts the
memory, or starts another program.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError, features

Pixels = npt.NDArray[np.uint8]

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decompressed (150 MB)."""

MAX_SCANS = 100
"""Largest number of scans of a progressive JPEG; each passes over the whole picture."""
MAX_SCANNED_PIXELS = 1_000_000_000
"""Largest number of scans times pixels of a JPEG: about a second."""
THUMBNAIL_QUALITY = 85
_START_OF_SCAN = b"\xff\xda"
_TOO_LARGE = f"more than {MAX_PIXELS:,} pixels"

FORMATS = tuple(
    name
    for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
    if name not in ("WEBP", "AVIF") or features.check(name.lower())
)
"""Formats that are read. Not EPS and the like: Pillow starts another program for them."""


@dataclass(frozen=True)
class Broken:
    """A picture that cannot be read, with the reason."""

    reason: str


def decode(content: bytes, size: int) -> Pixels | Broken:
    """One picture, stretched to a square, uint8 ``[size, size, 3]``; see :func:`read_picture`.

    Example:
        >>> decode(b"not a picture", 8)
        Broken(reason='not a picture in a known format')
    """
    picture = read_picture(content, size)
    if isinstance(picture, Broken):
        return picture
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR), np.uint8)


def read_picture(content: bytes, size: int) -> Image.Image | Broken:
    """One picture, RGB; a large JPEG is decompressed at a lower resolution, ``size`` or more.

    Grey, palette and CMYK pictures become RGB; of 16 bits the upper 8 are kept; transparent pixels
    are drawn on white; an animation gives its first frame; EXIF orientation is applied. Empty,
    truncated, huge (over ``MAX_PIXELS``) and foreign files are :class:`Broken`, and so are JPEGs of
    too many scans, of which 2 MiB can take a minute.
    """
    if not content:
        return Broken("the file is empty")
    # Pillow's warnings are left alone: their filters belong to the whole process and its threads.
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if fault := _excess(image, content):
                return Broken(fault)
            image.draft("RGB", (size, size))
            return _to_rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        return Broken("not a picture in a known format")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Broken(_TOO_LARGE)
    except MemoryError:
        return Broken("decoding takes more memory than is allowed")
    except Exception as error:  # Pillow raises any exception for a damaged file.
        return Broken(f"damaged: {error or type(error).__name__}")


def thumbnail_file(content: bytes, side: int) -> bytes | Broken:
    """The JPEG file of a picture within a square of ``side`` pixels; see :func:`read_picture`.

    Example:
        >>> thumbnail_file(b"", 64)
        Broken(reason='the file is empty')
    """
    picture = read_picture(content, side)
    if isinstance(picture, Broken):
        return picture
    picture.thumbnail((side, side))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=THUMBNAIL_QUALITY)
    return file.getvalue()


def _excess(image: Image.Image, content: bytes) -> str | None:
    """Reason why decoding would take too long, by the header; None if it would not."""
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        return _TOO_LARGE
    if image.format == "JPEG":
        # In coded data 0xFF is followed by 0 or a restart marker only, so these are real markers.
        scans = content.count(_START_OF_SCAN)
        if scans > MAX_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
            return f"{scans:,} scans of {pixels:,} pixels, which would take too long to decode"
    return None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("pixels are floating-point numbers")
    if image.mode.startswith("I"):  # 16 bits; Pillow's own conversion would clip at 255.
        upper = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255)
        image = Image.fromarray(upper.astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, layer)
    return image.convert("RGB")
