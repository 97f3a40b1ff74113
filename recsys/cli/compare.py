"""``recsys compare-embeddings``: every way to make an embedding, side by side on one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.output import print_json, print_table
from recsys.cli.runs import RUNS, AsJson, RunsFolder, resumable
from recsys.cli.screen import Screen

WIDE = 180
"""Characters: room for every column where stdout is a file."""


def compare_embeddings(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The comparison's TOML file.")],
    runs: RunsFolder = RUNS,
    again: Annotated[
        list[str] | None,
        typer.Option(help="The name of a row to do anew; may be given several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare encoders: cost, linear probes, recall alone and inside the two towers.

    Rows that still stand are reused. A row that fails is shown with its reason, the others go on,
    and the exit code is 1.
    """
    from recsys.comparison import compare, open_comparison
    from recsys.comparison.table import columns_of, lines_of

    with Screen() as screen:
        comparison = open_comparison(config, runs=runs, progress=screen)
        folder = comparison.job.folder
        with resumable(screen), screen.libraries_write_to(folder / "libraries.log"):
            content = compare(
                comparison,
                command=f"recsys compare-embeddings {config}",
                observer=screen,
                again=again or (),
            )
    columns = columns_of(content)
    lines = lines_of(content, columns)
    failed = [line for line in lines if line.failed]
    if as_json:
        print_json(content)
    else:
        shown = [
            [line.label, *(("failed",) + line.cells[1:] if line.failed else line.cells)]
            for line in lines
        ]
        print_table(["row", *(column.head for column in columns)], shown, width=WIDE)
        typer.echo(
            f"Recall at {content['k']}. Pages: {folder / 'comparison.html'}, .md, .png, .json"
        )
    for line in failed:
        typer.echo(f"failed: {line.label}: {line.failed}", err=True)
    if failed:
        raise typer.Exit(1)
