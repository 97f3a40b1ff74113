"""The pages of a comparison: Markdown, HTML and the plot. They show figures and compute none."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.comparison.plots import draw
from recsys.comparison.table import columns_of, lines_of
from recsys.evaluation.rendering import render
from recsys.files import write_text

PACKAGE = "recsys.comparison"


def write_pages(folder: Path, content: Mapping[str, Any]) -> None:
    """Write ``comparison.png``, ``comparison.md`` and ``comparison.html`` of a record.

    Args:
        folder: Where to.
        content: What ``comparison.json`` holds.
    """
    columns = columns_of(content)
    shown = {
        "content": content,
        "columns": columns,
        "lines": lines_of(content, columns),
        "picture": "",
    }
    draw(content, folder / "comparison.png")
    picture = base64.b64encode((folder / "comparison.png").read_bytes()).decode("ascii")
    write_text(folder / "comparison.md", render(PACKAGE, "comparison.md.j2", shown))
    page = render(PACKAGE, "comparison.html.j2", {**shown, "picture": picture})
    write_text(folder / "comparison.html", page)
