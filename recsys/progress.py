"""Progress of long work: the library calls a :class:`Progress`, the command line shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Callback for the progress of a piece of work."""

    def __call__(self, description: str, done: int, total: int, note: str = "") -> None:
        """Report that ``done`` of ``total`` units of ``description`` are complete."""


def silent(description: str, done: int, total: int, note: str = "") -> None:
    """A progress callback that does nothing.

    Example:
        >>> silent("encode", 1, 10)
    """
