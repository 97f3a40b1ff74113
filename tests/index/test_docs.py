"""The page on the index names every setting with its default."""

from __future__ import annotations

import re
from pathlib import Path

from recsys.index import ScannConfig

OTHERS = ("kind", "exact", "scann")  # rows of the page's other table
PAGE = Path(__file__).parents[2] / "docs/explanation/index.md"


def test_the_page_lists_the_settings_with_their_defaults() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)
    documented = {
        name: value.strip().replace(",", "").strip('"')
        for name, value in rows
        if name not in OTHERS
    }
    defaults = {
        name: str(field.default)
        for name, field in ScannConfig.model_fields.items()
        if name != "kind"
    }
    assert documented == defaults
