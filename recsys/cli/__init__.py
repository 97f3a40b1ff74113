"""The command line: thin words over the library. Results go to stdout, progress to stderr."""

from __future__ import annotations

from recsys.cli.app import main

__all__ = ["main"]
