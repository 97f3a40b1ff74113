"""Writes docs/cli.md from what the commands say of themselves: ``make docs``; a test compares."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

from recsys.cli import main
from recsys.cli.app import app

PAGE = Path(__file__).with_name("cli.md")
OPENING = """\
# The commands

What each command says of itself; this page is written by `make docs`.

- Results go to stdout, progress and errors to stderr. With `--json`, stdout holds one JSON
  document.
- Exit codes: 0; 1 for an error, told in one sentence; 2 for a wrong call; 130 when interrupted,
  and then the same command goes on where it was.
- `RECSYS_DATA_HOME` names the folder in which `data:NAME/...` is looked for; with
  `RECSYS_TRACEBACK=1` an unforeseen error shows where it comes from.
"""


def commands() -> list[str]:
    """Every command, in the order of the help."""
    own = [each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands]
    groups = [(group.name, group.typer_instance) for group in app.registered_groups]
    below = [
        f"{name} {each.name or getattr(each.callback, '__name__', '')}"
        for name, group in groups
        if group is not None
        for each in group.registered_commands
    ]
    return [*own, *below]


def reference() -> str:
    """The whole page."""
    parts = [OPENING, _block("recsys", [])]
    parts += [_block(f"recsys {command}", command.split()) for command in commands()]
    return "\n".join(parts)


def _block(title: str, arguments: list[str]) -> str:
    os.environ["COLUMNS"] = "100"
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        main([*arguments, "--help"])
    lines = "\n".join(line.rstrip() for line in told.getvalue().strip().splitlines())
    return f"## {title}\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
