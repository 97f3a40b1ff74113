"""``recsys export-words``: an encoder's words and vectors in the format of word2vec."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.output import AsJson, print_json


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
