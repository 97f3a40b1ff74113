"""Writes docs/reference/cli.md from the help of the commands; a test compares them."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

from recsys.cli import main
from recsys.cli.app import app

PAGE = Path(__file__).with_name("reference") / "cli.md"
OPENING = """\
# The commands

The help text of each command. `make docs` writes this page.

- Results are printed to stdout, progress and errors to stderr. With `--json`, stdout is one JSON
  document.
- Exit codes: 0 for success; 1 for an error, with a message of one sentence; 2 for invalid
  arguments; 130 for an interruption, after which the same command resumes.
- `RECSYS_DATA_HOME` is the folder of the data sets in `data:NAME/...`; `RECSYS_TRACEBACK=1` prints
  the traceback of an unexpected error.
"""


def commands() -> list[str]:
    """All commands, in the order of the help."""
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
    """Text of the page."""
    parts = [OPENING, _block("recsys", [])]
    parts += [_block(f"recsys {command}", command.split()) for command in commands()]
    return "\n".join(parts)


def _block(title: str, arguments: list[str]) -> str:
    os.environ["COLUMNS"] = "100"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([*arguments, "--help"])
    lines = "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())
    return f"## {title}\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
