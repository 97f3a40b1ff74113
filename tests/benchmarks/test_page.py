"""Parts of a page are written between their comments."""

from __future__ import annotations

import pytest

from benchmarks.pages import filled
from recsys.errors import DataError

PAGE = "Before.\n<!-- a -->\nold\n<!-- end of a -->\nAfter.\n<!-- b -->\n<!-- end of b -->\n"


def test_parts_are_replaced() -> None:
    once = filled(PAGE, {"a": "new", "b": "| 1 |\n"})
    assert once == PAGE.replace("old", "new").replace("<!-- b -->\n", "<!-- b -->\n| 1 |\n")
    assert filled(once, {"a": "new", "b": "| 1 |\n"}) == once
    assert filled(once, {"a": "", "b": ""}) == PAGE.replace("old\n", "")


@pytest.mark.parametrize(
    "text",
    ["", PAGE + "<!-- a -->\n", PAGE + "<!-- end of a -->", "<!-- end of a -->\n<!-- a -->\n"],
)
def test_missing_comments_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="needs a line '<!-- a -->' and after it '<!-- end of a"):
        filled(text, {"a": "new"})
