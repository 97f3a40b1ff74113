"""Pages of ``docs/`` whose tables are written from records, between comments that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys.errors import DataError
from recsys.files import read_json, write_text


def update_page(page: Path, parts: Mapping[str, str]) -> None:
    """Replace parts of a page; see :func:`filled`."""
    write_text(page, filled(page.read_text(encoding="utf-8"), parts))


def filled(text: str, parts: Mapping[str, str]) -> str:
    """Text of a page, its parts between comments ``<!-- NAME -->`` and ``<!-- end of NAME -->``.

    Raises:
        DataError: The page lacks a part's comments, or has them twice or in the wrong order.
    """
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        at, stop = text.find(begin), text.find(end)
        if text.count(begin) != 1 or text.count(end) != 1 or stop < at:
            raise DataError(
                f"the page needs a line '{begin.strip()}' and after it '{end}', each once"
            )
        written = part.rstrip("\n") + "\n" if part else ""
        text = text[: at + len(begin)] + written + text[stop:]
    return text


def markdown_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    rule = "|" + "---|" * len(header)
    return "\n".join([_line(header), rule, *map(_line, lines)])


def bold(cells: Sequence[str]) -> list[str]:
    """The cells in bold; empty ones stay empty."""
    return [f"**{cell}**" if cell else "" for cell in cells]


def metric_title(name: str) -> str:
    """Title of a metric in a table."""
    kind, k = name.split("@")
    return f"{kind.upper() if kind in ('hr', 'ndcg', 'mrr') else kind.capitalize()}@{k}"


def read_record(path: Path) -> dict[str, Any]:
    """A record; empty ``figures`` and ``parts`` where there is none."""
    if not path.is_file():
        return {"figures": {}, "parts": {}}
    record: dict[str, Any] = read_json(path)
    return record


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
