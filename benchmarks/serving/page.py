"""Table of ``docs/explanation/speed.md``, from ``benchmarks/results/serving.json``.

``python -m benchmarks.serving.page`` writes it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.pages import markdown_table, read_record, update_page

PAGE, RESULT = Path("docs/explanation/speed.md"), Path("benchmarks/results/serving.json")


def write_page(record: Mapping[str, Any], page: Path = PAGE) -> None:
    """Write the table of the page."""
    update_page(page, {"serving": table(record)})


def table(record: Mapping[str, Any]) -> str:
    """The figures, and each definition once: with the first figure that it defines."""
    definitions: dict[str, str] = dict(record["definitions"])
    lines = []
    for name, value in record["figures"].items():
        key = next((key for key in definitions if name.startswith(key)), "")
        lines.append([f"`{name}`", f"{value:,.2f}", definitions.pop(key, "")])
    return markdown_table(["figure", "value", "definition"], lines)


if __name__ == "__main__":
    write_page(read_record(RESULT))
