"""``recsys init``: a first configuration for csv or parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

_LISTS = ("text", "categories", "numbers", "context")
_Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column", help="A column of LOG as MEANING=COLUMN, such as user=member; repeatable."
    ),
]
_Field = Annotated[
    list[str] | None,
    typer.Option(
        "--field", help="Columns of ITEMS as MEANING=COLUMN,COLUMN, such as text=name; repeatable."
    ),
]


def init(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="csv or parquet file of a log.")],
    items: Annotated[
        Path | None, typer.Argument(metavar="ITEMS", help="csv or parquet file of the items.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder or zip archive of pictures.")
    ] = None,
    searches: Annotated[
        Path | None, typer.Option(help="csv or parquet file of searches and the chosen items.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="TOML file to write; by default stdout.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run; by default LOG's.")] = None,
    column: _Column = None,
    field: _Field = None,
) -> None:
    """Write a configuration for your own files; their columns are recognised."""
    from recsys.engine.fitting import EngineInputs
    from recsys.engine.starter import run_name, starter_config
    from recsys.errors import DataError
    from recsys.files import write_text
    from recsys.pictures import PictureStore

    if out is not None and out.exists():
        raise DataError(f"{out} is there already; remove it, or write to another file")
    if pictures is not None:
        PictureStore.open(pictures)
    inputs = EngineInputs.of(
        log,
        items,
        searches,
        columns=_pairs("--column", column or ()),
        fields=_pairs("--field", field or ()),
        pictures=pictures is not None,
    )
    for line in inputs.describe():
        typer.echo(line, err=True)
    folder = Path.cwd() if out is None else out.resolve().parent
    text = starter_config(
        inputs,
        name=name or run_name(log),
        folder=folder,
        pictures=pictures,
        file="FILE.toml" if out is None else str(out),
    )
    if out is None:
        typer.echo(text, nl=False)
        return
    write_text(out, text)
    typer.echo(f"{out} is written; next: recsys run {out}", err=True)


def _pairs(option: str, texts: Sequence[str]) -> dict[str, Any]:
    """Options given as MEANING=COLUMN; several columns are separated by commas."""
    pairs = [text.partition("=")[::2] for text in texts]
    if not all(meaning and columns for meaning, columns in pairs):
        raise typer.BadParameter(f"{option} takes MEANING=COLUMN; got {list(texts)}")
    return {meaning: _columns(option, meaning, columns) for meaning, columns in pairs}


def _columns(option: str, meaning: str, text: str) -> Any:
    """A column, a list of columns, or the types of columns for filters (``added:time``)."""
    if meaning == "filters":
        typed = [each.rpartition(":") for each in text.split(",")]
        if not all(column for column, _, _ in typed):
            raise typer.BadParameter(f"{option} filters takes COLUMN:TYPE; got {text!r}")
        return {column: kind for column, _, kind in typed}
    return text.split(",") if meaning in _LISTS else text
