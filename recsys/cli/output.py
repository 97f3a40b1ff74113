"""Results on stdout, as one JSON document or as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
MAX_WIDTH = 180
"""Table width in characters for many columns."""


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_json_line(value: Mapping[str, Any]) -> None:
    """Print one JSON document on one line of stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def print_table(
    columns: Sequence[str],
    lines: Sequence[Sequence[str]],
    *,
    title: str = "",
    width: int = 120,
) -> None:
    """Print a table on stdout; ``width`` in characters applies where stdout is no terminal.

    Columns of numbers are right-aligned.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = width
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for at, column in enumerate(columns):
        numeric = all(_is_number(line[at]) for line in lines)
        justify: Literal["left", "right"] = "right" if at and numeric else "left"
        table.add_column(column, justify=justify, no_wrap=not at)
    for line in lines:
        table.add_row(*line)
    console.print(table, markup=False)


def _is_number(text: str) -> bool:
    return not text or text.lstrip("+-").replace(",", "").replace(".", "").rstrip("%").isdigit()
