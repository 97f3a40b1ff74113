"""``python -m recsys_server`` is ``recsys serve``."""

from __future__ import annotations

import typer

from recsys_server.command import serve

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(serve)

if __name__ == "__main__":
    app(prog_name="python -m recsys_server")
