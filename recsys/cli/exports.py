"""``recsys export-embeddings`` and ``recsys export-words``: vectors as files for other programs."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.output import AsJson, print_json, print_table
from recsys.cli.runs import RUNS, ConfigPath, RunsFolder, resumable, up_to
from recsys.screen import Screen


def export_embeddings(
    config: ConfigPath,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder to write; an earlier export is replaced.")
    ],
    space: Annotated[
        list[str] | None,
        typer.Option(help="Content vectors to write as well (text, image); may be repeated."),
    ] = None,
    runs: RunsFolder = RUNS,
    as_json: AsJson = False,
) -> None:
    """Write the vectors of users, items and queries: parquet, npy, TensorBoard's projector.

    Earlier stages are brought up to date. See docs/how-to/export-embeddings.md for the files.
    """
    from recsys.pipeline.exporting import export_embeddings as write

    with Screen() as screen:
        job, _ = up_to(config, runs, "train", screen, [])
        with resumable(screen, job.folder):
            written, left_out = write(job, out, spaces=space or ())
    if as_json:
        sets = [asdict(each) for each in written]
        print_json({"folder": str(out), "sets": sets, "left_out": left_out})
        return
    lines = [
        [
            *(each.name, f"{each.vectors:,}", str(each.dimension)),
            each.without_sprite or (f"{each.thumbnails:,}" if each.thumbnail_side else ""),
        ]
        for each in written
    ]
    print_table(["embeddings", "vectors", "dimension", "thumbnails"], lines)
    for line in left_out:
        typer.echo(f"Left out: {line}")
    typer.echo(f"View them: tensorboard --logdir {out / 'projector'}")


class Form(str, Enum):
    """The two formats of word2vec."""

    text = "text"
    binary = "binary"


def export_words(
    encoder: Annotated[
        Path,
        typer.Argument(
            metavar="ENCODER",
            help="Folder of an encoder, such as runs/NAME/encode/encoders/text.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; .gz compresses.")],
    form: Annotated[Form, typer.Option(help="Text, or word2vec's binary form.")] = Form.text,
    as_json: AsJson = False,
) -> None:
    """Write the words of a word2vec or word-vectors encoder in a format that other tools read."""
    from recsys.encoders import load_encoder, write_word_vectors

    loaded = load_encoder(encoder)
    count = write_word_vectors(out, loaded, form=form.value)
    if as_json:
        print_json(
            {"file": str(out), "form": form.value, "words": count, "dimension": loaded.dimension}
        )
    else:
        typer.echo(f"{count:,} words of {loaded.dimension} dimensions: {out}")
