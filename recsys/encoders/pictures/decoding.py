"""From the bytes of any picture to a square of RGB pixels, or the reason why not.

Pictures come from outside: each odd case has a defined result, and nothing that a file holds can
raise, exhaust the memory, or start another program. Finding the files is the business of
``recsys.pictures``.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError, features

from recsys.encoders.base import Content, Fault, files_of

Pixels = npt.NDArray[np.uint8]

MAX_PIXELS = 50_000_000
"""A larger picture is refused before it is unpacked: 150 MB is enough for one."""

FORMATS = tuple(
    name
    for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
    if name not in ("WEBP", "AVIF") or features.check(name.lower())
)
"""What is read. EPS and its kin are left out: Pillow would start another program for them."""


@dataclass(frozen=True)
class Broken:
    """A picture that cannot be read, and why."""

    reason: str


def decode(content: bytes, size: int) -> Pixels | Broken:
    """One picture, stretched to a square, uint8 ``[size, size, 3]``.

    Grey, palette and CMYK pictures become RGB; of 16 bits the upper 8 are kept; what is
    transparent lies on white; the first frame stands for an animation; EXIF orientation is
    applied. Empty, truncated, huge (over ``MAX_PIXELS``) and foreign files are :class:`Broken`.

    Example:
        >>> decode(b"not a picture", 8)
        Broken(reason='not a picture in a known format')
    """
    if not content:
        return Broken("the file is empty")
    with warnings.catch_warnings():
        # Pillow warns about odd metadata; the picture itself decides here. Bombs are refused.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _decode(content, size)
        except UnidentifiedImageError:
            return Broken("not a picture in a known format")
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            return Broken(f"more than {MAX_PIXELS:,} pixels")
        except Exception as error:  # A damaged file makes Pillow raise anything at all.
            return Broken(f"damaged: {error or type(error).__name__}")


def pixel_count(content: bytes) -> int | None:
    """Width times height as the head of the file states them, or None where it cannot be read.

    Nothing is unpacked: this is to refuse a picture that would take too long.

    Example:
        >>> pixel_count(b"not a picture") is None
        True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                return image.width * image.height
        except Exception:  # Decoding says what is wrong.
            return None


def _decode(content: bytes, size: int) -> Pixels | Broken:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            return Broken(f"more than {MAX_PIXELS:,} pixels")
        image.draft("RGB", (size, size))  # A large JPEG is unpacked at a fraction of its size.
        upright = ImageOps.exif_transpose(image)
        rgb = _to_rgb(upright)
        return np.asarray(rgb.resize((size, size), Image.Resampling.BILINEAR), np.uint8)


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


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pictures among some contents that could be read.

    Attributes:
        pixels: uint8 ``[m, size, size, 3]``.
        positions: int64 ``[m]``, ascending: where each stands among the contents.
        faults: The contents that could not be read; a missing one (None) is no fault.
    """

    pixels: Pixels
    positions: npt.NDArray[np.int64]
    faults: tuple[Fault, ...]


def decode_all(contents: Sequence[Content], size: int) -> Decoded:
    """Decode every content that is there.

    Raises:
        EncoderError: A content is text.
    """
    readable: list[Pixels] = []
    positions: list[int] = []
    faults: list[Fault] = []
    for position, content in enumerate(files_of(contents)):
        if content is None:
            continue
        decoded = decode(content, size)
        if isinstance(decoded, Broken):
            faults.append(Fault(position, decoded.reason))
        else:
            readable.append(decoded)
            positions.append(position)
    pixels = np.stack(readable) if readable else np.zeros((0, size, size, 3), np.uint8)
    return Decoded(pixels, np.asarray(positions, np.int64), tuple(faults))
