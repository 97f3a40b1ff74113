"""The commands and their exit codes: 0; 1 for an error with a one-line message; 2 for wrong
arguments; 130 for an interrupt."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from recsys.cli import (
    bundles,
    compare_embeddings,
    compare_runs,
    exports,
    init,
    refresh,
    runs,
    store,
    tune,
)
from recsys.cli.query import describe, evaluate_feed, feed, query
from recsys.errors import RecsysError
from recsys.screen import quiet_libraries
from recsys.version import __version__
from recsys_console.command import console
from recsys_server.command import serve
from recsys_server.security import command as token

TRACEBACK = "RECSYS_TRACEBACK"
"""Environment variable; set to 1, unexpected errors show a traceback."""

app = typer.Typer(
    name="recsys",
    help="A two-tower retrieval engine: from an interaction log and a catalogue to candidates.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(init.init)
runs.add_to(app)
app.command("export-embeddings")(exports.export_embeddings)
app.command()(serve)
app.command()(console)
app.command()(query)
app.command()(feed)
app.command("evaluate-feed")(evaluate_feed)
app.command()(describe)
app.command("export-words")(exports.export_words)
app.command()(tune.tune)
app.command("compare")(compare_runs.compare_runs)
app.command("compare-embeddings")(compare_embeddings.compare_embeddings)
app.command()(refresh.refresh)
app.add_typer(bundles.app, name="bundles")
app.add_typer(store.app, name="store")
app.add_typer(token.app, name="token")


def _version(show: bool) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    quiet_libraries()
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
            f"unexpected {type(error).__name__}: {error}; this is a bug in recsys: set "
            f"{TRACEBACK}=1 for a traceback"
        )


def _fail(message: str) -> None:
    typer.echo(f"error: {message}", err=True)
    sys.exit(1)
