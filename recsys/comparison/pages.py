"""The pages of a comparison: Markdown, HTML and the plot. They show figures and compute none."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.comparison.plots import draw
from recsys.comparison.table import columns_of, lines_of
from recsys.evaluation.record import write_text


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
    write_text(folder / "comparison.md", _render("comparison.md.j2", shown))
    write_text(
        folder / "comparison.html", _render("comparison.html.j2", {**shown, "picture": picture})
    )


def _render(template: str, values: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("recsys.comparison"),
        autoescape=template.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(template).render(values)


def _cell(value: object) -> str:
    """Text that stays inside one cell of a Markdown table."""
    flat = " ".join(str(value).split())
    return flat.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
