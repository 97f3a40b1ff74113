"""``recsys bundles``: list, verify and roll back what was published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.output import print_json, print_table

app = typer.Typer(
    help="List, verify and roll back published bundles.", no_args_is_help=True, rich_markup_mode=None
)
Root = Annotated[
    Path, typer.Argument(metavar="BUNDLES", help="The folder of bundles, as runs/NAME/bundles.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_(root: Root, as_json: AsJson = False) -> None:
    """Every published bundle, the newest first; the one that is served is marked."""
    from recsys.bundle import list_bundles

    raise NotImplementedError


@app.command()
def verify(
    root: Root,
    version: Annotated[str, typer.Option(help="Which bundle.")] = "current",
    as_json: AsJson = False,
) -> None:
    """Check every file of a bundle against its manifest."""


@app.command()
def rollback(
    root: Root,
    to: Annotated[str | None, typer.Option(help="A version; by default the one before.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an earlier bundle the current one."""
