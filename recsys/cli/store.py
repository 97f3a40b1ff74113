"""``recsys store``: copy, compact, export, import and verify the log of a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.output import AsJson, print_json
from recsys.errors import NotFoundError
from recsys.screen import Screen

if TYPE_CHECKING:
    from recsys.store import Store

app = typer.Typer(
    help="Copy, compact, export, import and verify the store of a service.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def open_existing(store: str) -> Store:
    """An existing store."""
    from recsys.store import open_store

    if "://" not in store and not Path(store).is_file():
        raise NotFoundError(f"there is no store at {store}; check the path")
    return open_store(store)


StoreName = Annotated[
    str,
    typer.Argument(
        metavar="STORE",
        help="Path of a SQLite file, or postgresql://USER:PASSWORD@HOST/DATABASE.",
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the export.")]


@app.command()
def compact(
    store: StoreName,
    keep_days: Annotated[
        float | None,
        typer.Option(
            min=0, help="Age in days from which interactions and impressions are removed."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Remove replaced contents of items and expired keys, and free their space.

    Services may use the store meanwhile."""
    from recsys.store import compact as compact_store

    with Screen() as screen, open_existing(store) as opened:
        done = compact_store(opened, keep_days=keep_days, progress=screen)
    _report(
        asdict(done),
        f"removed {done.interactions:,} interactions, {done.impressions:,} impressions,"
        f" {done.items:,} contents of items and {done.keys:,} keys: {done.bytes_before / 1e6:.1f}"
        f" MB are now {done.bytes_after / 1e6:.1f} MB",
        as_json,
    )


@app.command()
def export(store: StoreName, folder: Folder, as_json: AsJson = False) -> None:
    """Write the interactions, the items with their pictures, and the deletions as files."""
    from recsys.store import export_store

    with Screen() as screen, open_existing(store) as opened:
        done = export_store(opened, folder, progress=screen)
    _report(
        {"folder": str(folder), **done},
        f"{done['interactions']:,} interactions, {done['items']:,} items and"
        f" {done['deletions']:,} deletions up to {done['watermark']:,}: {folder}",
        as_json,
    )


@app.command("export-impressions")
def export_impressions(
    store: StoreName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parquet file to write.")],
    event: Annotated[
        list[str] | None,
        typer.Option(help="Kind of event that counts as taking an item; all if not given."),
    ] = None,
    min_age: Annotated[
        float, typer.Option(min=0, help="Age in seconds of the youngest impressions to write.")
    ] = 0.0,
    pipeline: Annotated[
        list[str] | None, typer.Option(help="Pipeline whose impressions are written.")
    ] = None,
    bundle: Annotated[
        list[str] | None, typer.Option(help="Version of a bundle whose impressions are written.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what feeds have shown, with features and labels, as a table that trains a ranker.

    An item was taken if a recorded interaction names the impression. A ranker is trained on
    impressions with the same features, such as those of one bundle and pipeline."""
    from recsys.store import export_impressions as export

    with open_existing(store) as opened:
        done = export(
            opened,
            file,
            events=event or (),
            min_age=min_age,
            pipelines=pipeline or (),
            bundles=bundle or (),
        )
    _report(
        {"file": str(file), **done},
        f"{done['impressions']:,} impressions of {done['items']:,} items, of which"
        f" {done['taken']:,} were taken: {file}",
        as_json,
    )


@app.command("import")
def import_(
    store: Annotated[
        str,
        typer.Argument(
            metavar="STORE", help="Path of a SQLite file, which is made, or a postgresql:// URL."
        ),
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Run (runs/NAME), bundle, or export of a store to read."
        ),
    ],
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder or zip archive with the pictures of a run's catalogue."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the log and the catalogue of a run, a bundle or an export to a store.

    Items and users that the store knows stay as they are. The same data are imported once; an
    import that was stopped continues.
    """
    from recsys.pictures import PictureStore
    from recsys.store import import_folder, open_store

    opened_pictures = None if pictures is None else PictureStore.open(pictures)
    with Screen() as screen, open_store(store) as opened:
        done = import_folder(opened, folder, pictures=opened_pictures, progress=screen)
    _report(
        asdict(done),
        f"{done.changes:,} changes were imported, {done.earlier:,} earlier; the store has newer"
        f" changes for {done.left_out:,}",
        as_json,
    )


@app.command()
def verify(store: StoreName, as_json: AsJson = False) -> None:
    """Read the whole store and check it; exit code 1 where it has a fault."""
    from recsys.store import verify as verify_store

    with Screen() as screen, open_existing(store) as opened:
        done = verify_store(opened, progress=screen)
    lines = [f"fault: {fault}" for fault in done.faults] or [
        f"the store is whole: {done.entries:,} entries up to {done.watermark:,},"
        f" {done.items:,} items, {done.impressions:,} impressions, {done.size / 1e6:.1f} MB"
    ]
    _report(asdict(done), "\n".join(lines), as_json)
    if done.faults:
        raise typer.Exit(1)


@app.command()
def backup(
    store: StoreName,
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="New file, or URL of an empty PostgreSQL database."),
    ],
    as_json: AsJson = False,
) -> None:
    """Copy one state of the store, while services use it; the copy is a store, too."""
    from recsys.store import backup as back_up

    with Screen() as screen, open_existing(store) as opened:
        watermark = back_up(opened, target, progress=screen)
    _report({"target": target, "watermark": watermark}, f"{target}: up to {watermark:,}", as_json)


def _report(values: Mapping[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        print_json(values)
    else:
        typer.echo(text)
