"""``recsys compare-embeddings``: a comparison of encoders on one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.output import MAX_WIDTH, AsJson, print_json, print_table
from recsys.cli.runs import RUNS, RunsFolder, resumable
from recsys.screen import Screen


def compare_embeddings(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="TOML file of the comparison.")],
    runs: RunsFolder = RUNS,
    again: Annotated[
        list[str] | None,
        typer.Option(help="Name of a variant to recompute; may be given several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare encoders: cost, linear probes, recall alone and inside the two towers.

    Variants that are up to date are reused. A variant that fails is shown with its reason, the
    others continue, and the exit code is 1.
    """
    from recsys.comparison import compare, open_comparison
    from recsys.comparison.table import table_columns, table_entries

    with Screen() as screen:
        comparison = open_comparison(config, runs=runs, progress=screen)
        folder = comparison.job.folder
        with resumable(screen, folder):
            content = compare(
                comparison,
                command=f"recsys compare-embeddings {config}",
                observer=screen,
                again=again or (),
            )
    columns = table_columns(content)
    entries = table_entries(content, columns)
    failed = [entry for entry in entries if entry.failed]
    if as_json:
        print_json(content)
    else:
        lines = [
            [entry.label, *(("failed", *entry.cells[1:]) if entry.failed else entry.cells)]
            for entry in entries
        ]
        print_table(["variant", *(each.heading for each in columns)], lines, width=MAX_WIDTH)
        typer.echo(
            f"Recall at {content['k']}. Pages: {folder / 'comparison.html'}, .md, .png, .json"
        )
    for entry in failed:
        typer.echo(f"failed: {entry.label}: {entry.failed}", err=True)
    if failed:
        raise typer.Exit(1)
