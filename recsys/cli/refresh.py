"""``recsys refresh``: publish a bundle with the changes of a store, without training."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.bundles import existing
from recsys.cli.output import AsJson, print_json
from recsys.cli.store import open_existing
from recsys.screen import Screen


def refresh(
    root: Annotated[
        Path,
        typer.Argument(
            metavar="BUNDLES", help="Folder of published bundles, as runs/NAME/bundles."
        ),
    ],
    store: Annotated[
        str,
        typer.Option(
            help="Store: path of a SQLite file, or postgresql://USER:PASSWORD@HOST/DATABASE."
        ),
    ],
    version: Annotated[str, typer.Option(help="Version to begin with.")] = "current",
    as_json: AsJson = False,
) -> None:
    """Publish a bundle with the changes of a store, without training.

    New items are encoded with the towers as they are, every space is indexed, and deleted items
    and users are left out. The new bundle becomes the current one."""
    from recsys.bundle import refresh as refresh_bundle

    with Screen() as screen, open_existing(store) as opened:
        report = refresh_bundle(existing(root), opened, version=version, progress=screen)
    refused = [
        {"sequence": each.sequence, "item_id": each.item_id, "reason": each.error.message}
        for each in report.refused
    ]
    if as_json:
        print_json({**asdict(report), "refused": refused})
        return
    typer.echo(
        f"{report.version} is current: {report.items:,} items ({report.new_items:,} new, "
        f"{report.deleted_items:,} deleted), {report.users:,} users, {report.interactions:,} "
        f"interactions; includes change {report.watermark:,} of the store"
    )
    for each in refused:
        typer.echo(f"warning: change {each['sequence']} is left out: {each['reason']}", err=True)
