"""Results on stdout: one JSON document, or a table for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(
    columns: Sequence[str],
    lines: Sequence[Sequence[str]],
    *,
    title: str = "",
    width: int = 120,
) -> None:
    """A table on stdout; columns after the first are right-aligned where they hold numbers.

    ``width`` is in characters, where stdout is no terminal that has its own.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = width
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for place, column in enumerate(columns):
        numbers = all(_is_number(line[place]) for line in lines)
        justify: Literal["left", "right"] = "right" if place and numbers else "left"
        table.add_column(column, justify=justify, no_wrap=not place)
    for line in lines:
        table.add_row(*line)
    console.print(table, markup=False)


def _is_number(text: str) -> bool:
    return not text or text.replace(",", "").replace(".", "").replace("%", "").isdigit()
