"""Splitting text into words, the same way in training, for items and for search terms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

Text = Sequence[str]
"""A text as its words."""

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of ``text``, lower case, composed (Unicode NFC), without punctuation.

    Example:
        >>> words("Rainy-day RUGS, 2 sizes!")
        ['rainy', 'day', 'rugs', '2', 'sizes']
    """
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def is_word(token: str) -> bool:
    """Whether :func:`words` could return ``token``, letter case aside."""
    return _WORD.fullmatch(token) is not None


def to_lines(vocabulary: Sequence[str]) -> bytes:
    """A vocabulary as a file, one word per line."""
    return "\n".join(vocabulary).encode("utf-8")


def from_lines(content: bytes) -> tuple[str, ...]:
    """The vocabulary that :func:`to_lines` wrote."""
    return tuple(content.decode("utf-8").split("\n"))
