"""Writes docs/reference/service-settings.md from the settings' class; a test compares them."""

from __future__ import annotations

from pathlib import Path

from make_configuration import table_of

from recsys_server.auditing import Audit
from recsys_server.limits import Limits
from recsys_server.security.tls import Tls
from recsys_server.settings import Settings

PAGE = Path(__file__).with_name("reference") / "service-settings.md"
OPENING = """\
# Settings of the service

Every setting of `recsys serve`: its type, its default and its meaning. `make docs` writes this page
from the code.

A setting is a key of the TOML file that `--config` names, an environment variable, and, where
`recsys serve --help` lists it, an option. An option takes precedence over the variable, the
variable over the file. The variable of `workers` is `RECSYS_SERVE_WORKERS`, that of `k` in the
section `limits` is `RECSYS_SERVE_LIMITS__K`. Paths in a file are relative to its folder. An unknown
key or variable is an error.
"""


def reference() -> str:
    """Text of the page."""
    sections = [("Section `tls`", Tls), ("Section `audit`", Audit), ("Section `limits`", Limits)]
    parts = [OPENING, table_of(Settings)]
    parts += [f"## {title}\n\n{table_of(kind)}" for title, kind in sections]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
