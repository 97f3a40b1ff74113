"""The pages of a comparison: Markdown, HTML and the plot, from the figures of its record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.comparison.plots import draw
from recsys.comparison.table import table_columns, table_entries
from recsys.evaluation.rendering import render
from recsys.evaluation.thumbnails import data_url
from recsys.files import write_text

PACKAGE = "recsys.comparison"


def write_pages(folder: Path, content: Mapping[str, Any]) -> None:
    """Write ``comparison.png``, ``.md`` and ``.html`` of the content of ``comparison.json``."""
    plot = folder / "comparison.png"
    draw(content, plot)
    columns = table_columns(content)
    values = {
        "content": content,
        "columns": columns,
        "entries": table_entries(content, columns),
        "plot": data_url(plot.read_bytes()),
    }
    for name in ("comparison.md", "comparison.html"):
        write_text(folder / name, render(PACKAGE, f"{name}.j2", values))
