"""Splitting text into words, the same way in training, for items and for search terms."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import regex

from recsys.errors import EncoderError

Text = Sequence[str]
"""A text as its words."""

VERSION = 2
"""Version of the rules of :func:`words`; saved encoders hold it."""

WORDS = "words.txt"
_TOKENIZER = "tokenizer"
_PLAIN_WORD = re.compile(r"\w+")
_WORD = regex.compile(
    r"[\p{L}\p{N}_](?:[\p{L}\p{N}\p{Mn}\p{Mc}_]|[\u200c\u200d]+(?=[\p{L}\p{N}\p{Mn}\p{Mc}]))*"
)
"""Letters, digits and ``_`` with their combining marks; joiners between them (UTS #18, annex C)."""
_WITHOUT_SPACES = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
)
_MAY_JOIN = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u1dff\u200c\u200d\u20d0-\u20ff\u2c00-\U0010ffff]"
)
"""Blocks with combining marks or scripts without spaces. The texts without them, such as English
with typographic quotes, take the fast path."""
_INVISIBLE = re.compile(r"[\xad\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
"""Soft hyphens and marks of direction and variation, which are not part of the spelling."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(
    r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|</?(?:a|abbr|article|aside|b|big|blockquote|body|br"
    r"|button|caption|center|cite|code|col|colgroup|dd|del|details|div|dl|dt|em|embed|fieldset"
    r"|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd"
    r"|label|legend|li|link|main|mark|meta|nav|object|ol|option|p|param|picture|pre|q|s|samp"
    r"|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody"
    r"|td|textarea|tfoot|th|thead|title|tr|tt|u|ul|var|video|wbr)(?:\s[^<>]*)?/?>",
    re.IGNORECASE | re.DOTALL,
)
"""HTML tags by name: "a < b", "<3" and "List<int>" are not tags."""


def words(text: str) -> list[str]:
    """The words of ``text``, lower case, composed (Unicode NFC), without punctuation and HTML.

    A word is a run of letters, digits and ``_`` with their combining marks. Runs in scripts that
    do not separate words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are segmented by ICU.

    Example:
        >>> words("Rainy-day RUGS, 2 sizes!")
        ['rainy', 'day', 'rugs', '2', 'sizes']
        >>> words("Bed &amp; bath<br>İstanbul हिन्दी")
        ['bed', 'bath', 'istanbul', 'हिन्दी']
    """
    if "&" in text or "<" in text:
        text = _without_html(text)
    text = _normal(text)
    if not _MAY_JOIN.search(text):
        return _PLAIN_WORD.findall(text)
    found: list[str] = _WORD.findall(text)
    return list(_segmented(found)) if _WITHOUT_SPACES.search(text) else found


def as_word(token: str) -> str | None:
    """``token`` as :func:`words` would spell it; None if it is not a single word.

    Example:
        >>> as_word("Rugs"), as_word("red rug"), as_word(",")
        ('rugs', None, None)
    """
    word = _normal(token)
    return word if _WORD.fullmatch(word) else None


@cache
def _script_of(character: str) -> str:
    name = unicodedata.name(character, "other").partition(" ")[0].lower()
    return "han" if name == "cjk" else name


def script_of(word: str) -> str:
    """The script of a word's first character, by its Unicode name.

    Example:
        >>> script_of("rugs"), script_of("हिन्दी"), script_of("红色"), script_of("12")
        ('latin', 'devanagari', 'han', 'digits')
    """
    return "digits" if word[0].isdecimal() else _script_of(word[0])


def vocabulary_parts(vocabulary: Sequence[str]) -> dict[str, Any]:
    """A vocabulary as parts of an encoder: its words, one per line, and the tokenizer's version."""
    return {WORDS: "\n".join(vocabulary).encode("utf-8"), _TOKENIZER: np.array(VERSION)}


def vocabulary_of(parts: Mapping[str, Any]) -> tuple[str, ...]:
    """The vocabulary that :func:`vocabulary_parts` stored.

    Raises:
        EncoderError: Another version of the tokenizer produced the words.
    """
    lines = parts[WORDS].decode("utf-8")
    version = int(parts.get(_TOKENIZER, 1))
    if version != VERSION:
        raise EncoderError(
            f"the encoder's words are those of version {version} of the tokenizer; this recsys "
            f"splits texts by version {VERSION}: build the encoder again, or use the recsys that "
            "wrote it"
        )
    return tuple(lines.split("\n"))


def _normal(text: str) -> str:
    """Lower case, composed, without invisible characters."""
    if text.isascii():
        return text.lower()
    lower = unicodedata.normalize("NFC", text).lower()
    # The lower case of "İ" is "i" and a combining dot.
    return _INVISIBLE.sub("", lower.replace("i\u0307", "i"))


def _without_html(text: str) -> str:
    """Entities as their characters, also escaped twice; a blank for each tag."""
    for _ in range(2):
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    return _TAG.sub(" ", text)


def _segmented(found: Sequence[str]) -> Iterator[str]:
    from icu4py.breakers import WordBreaker

    for run in found:
        if _WITHOUT_SPACES.search(run):
            yield from (part for part in WordBreaker(run, "und") if _WORD.match(part))
        else:
            yield run
