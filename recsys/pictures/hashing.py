"""Perceptual hashes of pictures: pictures that look the same differ in few bits."""

from __future__ import annotations

from recsys.pictures.decoding import Broken, decode
from recsys.pictures.isolation import Decoder

_SIDE = 32


def picture_hash(content: bytes, decoder: Decoder | None = None) -> int | None:
    """Perceptual hash of a picture's file, 64 bits; None where it cannot be read.

    The signs of the lowest frequencies of the picture in 32 x 32 shades of grey, by ImageHash.

    Args:
        content: Bytes of the file.
        decoder: Decoder of the picture; by default it is decoded in this process.

    Example:
        >>> picture_hash(b"not a picture") is None
        True
    """
    from imagehash import phash
    from PIL import Image

    pixels = decode(content, _SIDE) if decoder is None else decoder.square(content, _SIDE)
    if isinstance(pixels, Broken):
        return None
    bits = phash(Image.fromarray(pixels)).hash
    return int("".join("1" if bit else "0" for bit in bits.ravel().tolist()), 2)
