"""The commands, and how each of them ends: 0, 1 for an error told in a sentence, 2 for a wrong
call, 130 when interrupted."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

import recsys
from recsys.cli import bundles, compare, exports, query, runs, serve, tune, words
from recsys.errors import RecsysError

TRACEBACK = "RECSYS_TRACEBACK"
"""Set to 1, errors nobody foresaw show where they come from."""

app = typer.Typer(
    name="recsys",
    help="A two-tower retrieval engine: from an interaction log and a catalogue to candidates.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
runs.add_to(app)
app.command("export-embeddings")(exports.export_embeddings)
app.command()(serve.serve)
app.command()(query.query)
app.command("export-words")(words.export_words)
app.command()(tune.tune)
app.command("compare-embeddings")(compare.compare_embeddings)
app.add_typer(bundles.app, name="bundles")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(recsys.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    # TensorFlow tells of every graphics card it does not find; both must be said before it loads.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        app(arguments, prog_name="recsys")
    except RecsysError as error:
        _fail(f"{error.message} ({error.code})")
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")
    except Exception as error:
        if os.environ.get(TRACEBACK) == "1":
            raise
        _fail(
            f"unforeseen {type(error).__name__}: {error}; this is a fault of recsys: set "
            f"{TRACEBACK}=1 to see where it comes from"
        )


def _fail(sentence: str) -> None:
    typer.echo(f"error: {sentence}", err=True)
    sys.exit(1)
