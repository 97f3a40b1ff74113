"""How text becomes words: the same way in training, in items and in search terms."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of ``text``, lower case, composed (Unicode NFC), without punctuation.

    Example:
        >>> words("Rainy-day RUGS, 2 sizes!")
        ['rainy', 'day', 'rugs', '2', 'sizes']
    """
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def is_word(token: str) -> bool:
    """Whether :func:`words` could ever return ``token``, letter case aside."""
    return _WORD.fullmatch(token) is not None
