"""What makes two contents the same, and looking at one that may not be readable."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from recsys.encoders.base import Content, Fault
from recsys.errors import DataError

HASH_BYTES = 32


def content_hash(content: Content) -> bytes:
    """SHA-256 of a content; text and bytes never collide, None is its own content.

    Example:
        >>> content_hash("lamp") == content_hash("lamp"), content_hash("") == content_hash(b"")
        (True, False)
    """
    if content is None:
        return hashlib.sha256(b"none").digest()
    if isinstance(content, bytes):
        return hashlib.sha256(b"bytes:" + content).digest()
    return hashlib.sha256(b"text:" + content.encode("utf-8", "surrogatepass")).digest()


def content_at(contents: Sequence[Content], position: int) -> Content | Fault:
    """One of ``contents``, or why it cannot be read where they are read on demand."""
    try:
        return contents[position]
    except DataError as error:
        return Fault(position, error.message)


def readable(contents: Sequence[Content], positions: Sequence[int]) -> list[Content]:
    """The contents at ``positions``, None in the place of one that cannot be read."""
    found = [content_at(contents, position) for position in positions]
    return [None if isinstance(content, Fault) else content for content in found]
