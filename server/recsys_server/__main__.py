"""``python -m recsys_server`` is ``recsys serve``."""

from __future__ import annotations

from recsys_server.processes import signals

if __name__ == "__main__":
    signals.catch()  # before the imports, which take half a second

import typer  # noqa: E402

from recsys_server.command import serve  # noqa: E402

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(serve)

if __name__ == "__main__":
    app(prog_name="python -m recsys_server")
