"""``recsys bundles``: list, verify and roll back published bundles."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.output import AsJson, print_json, print_table
from recsys.errors import NotFoundError

app = typer.Typer(
    help="List, verify and roll back published bundles.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def existing(root: Path) -> Path:
    """The folder of bundles, which must exist."""
    if not root.is_dir():
        raise NotFoundError(
            f"there is no folder of bundles at {root}; 'recsys publish CONFIG' makes one"
        )
    return root


Root = Annotated[
    Path,
    typer.Argument(
        metavar="BUNDLES",
        help="Folder of published bundles, as runs/NAME/bundles.",
        callback=existing,
    ),
]


@app.command("list")
def list_(root: Root, as_json: AsJson = False) -> None:
    """List the published bundles, the newest first; the current one is marked."""
    from recsys.bundle import current_fault, list_bundles

    found = list_bundles(root)
    if fault := current_fault(root):
        typer.echo(f"warning: {fault}", err=True)
    if as_json:
        print_json([asdict(bundle) for bundle in found])
        return
    print_table(
        ["", "version", "created", "items", "dimension", "MB", "fault"],
        [
            [
                "*" if bundle.current else "",
                *(bundle.version, bundle.created, str(bundle.items), str(bundle.dimension)),
                *(f"{bundle.size / 1e6:.1f}", bundle.fault or ""),
            ]
            for bundle in found
        ],
    )


@app.command()
def verify(
    root: Root,
    version: Annotated[str, typer.Option(help="Version of the bundle.")] = "current",
    as_json: AsJson = False,
) -> None:
    """Compare every file of a bundle with its manifest; exit code 1 where one differs."""
    from recsys.bundle import verify as verify_bundle

    manifest = verify_bundle(root, version)
    if as_json:
        print_json({"version": manifest.version, "whole": True, "size": manifest.size})
    else:
        typer.echo(f"{manifest.version} is whole: {manifest.size / 1e6:.1f} MB")


@app.command()
def rollback(
    root: Root,
    to: Annotated[str | None, typer.Option(help="Version; by default the one before.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an earlier bundle the current one; nothing is removed."""
    from recsys.bundle import rollback as roll_back

    version = roll_back(root, to)
    if as_json:
        print_json({"current": version})
    else:
        typer.echo(f"{version} is current")
