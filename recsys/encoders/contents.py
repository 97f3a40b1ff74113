"""Contents that encoders read: texts, the bytes of picture files, or None for neither."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import DataError, EncoderError

Content = str | bytes | None
"""Text for a text encoder, the bytes of a file for a picture encoder, None where there is none."""
Contents = Sequence[Content]

HASH_BYTES = 32


@dataclass(frozen=True)
class Fault:
    """A content that exists but cannot be read.

    Attributes:
        position: Position among the contents given.
        reason: Reason why it cannot be read.
    """

    position: int
    reason: str

    def moved(self, by: int) -> Fault:
        """The same fault among contents that start ``by`` earlier."""
        return Fault(self.position + by, self.reason)


def content_hash(content: Content) -> bytes:
    """SHA-256 of a content; text and bytes never collide, None is a content of its own.

    Example:
        >>> content_hash("lamp") == content_hash("lamp"), content_hash("") == content_hash(b"")
        (True, False)
    """
    if content is None:
        return hashlib.sha256(b"none").digest()
    if isinstance(content, bytes):
        return hashlib.sha256(b"bytes:" + content).digest()
    return hashlib.sha256(b"text:" + content.encode("utf-8", "surrogatepass")).digest()


def content_at(contents: Contents, position: int) -> Content | Fault:
    """One of ``contents``, or the fault of a content that is read on demand."""
    try:
        return contents[position]
    except DataError as error:
        return Fault(position, error.message)


def readable(contents: Contents, positions: Sequence[int]) -> list[Content]:
    """The contents at ``positions``, None instead of one that cannot be read."""
    found = [content_at(contents, position) for position in positions]
    return [None if isinstance(content, Fault) else content for content in found]


def texts_of(contents: Contents) -> list[str]:
    """``contents`` as text, None as ""."""
    for position, content in enumerate(contents):
        if isinstance(content, bytes):
            raise EncoderError(
                f"a text encoder reads str; position {position} holds bytes: "
                "pass the item's text, or use an image encoder"
            )
    return [content or "" for content in contents if not isinstance(content, bytes)]


def files_of(contents: Contents) -> list[bytes | None]:
    """``contents`` as the bytes of picture files."""
    for position, content in enumerate(contents):
        if isinstance(content, str):
            raise EncoderError(
                f"an image encoder reads the bytes of picture files; position {position} holds "
                f"{content!r:.40}: read the file first, or use a text encoder"
            )
    return [content for content in contents if not isinstance(content, str)]
