"""How the out-of-vocabulary report looks as a table: in the report and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORD_COLUMNS = ("texts", "words", "with a vector", "from pieces", "most frequent without")


def word_rows(words: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """``Report.words`` as lines of text, one a kind of text, in the order of ``WORD_COLUMNS``."""
    return [
        [
            texts,
            f"{found['words']:,}",
            f"{found['share_with_a_vector']:.1%}",
            f"{found['from_pieces']:,}",
            ", ".join(f"{word} ({n:,})" for word, n in found["most_frequent_without"].items()),
        ]
        for texts, found in words.items()
    ]
