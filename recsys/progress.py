"""How long work tells the outside how far it is, without printing.

The library calls a :class:`Progress`; the command line draws it, tests ignore it.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives how far a piece of work is."""

    def __call__(self, description: str, done: int, total: int, note: str = "") -> None:
        """Report that ``done`` of ``total`` units of ``description`` are complete."""


def silent(description: str, done: int, total: int, note: str = "") -> None:
    """A progress that tells nobody.

    Example:
        >>> silent("encode", 1, 10)
    """
