"""What a person sees of a run: bars on a terminal, plain lines elsewhere, always on stderr.

Results are the business of ``output``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from recsys.pipeline.stage import StageResult

STDERR = 2
PLAIN_SECONDS = 5.0
"""Between two plain lines about the same piece of work."""


class Screen:
    """Draws the progress of a run; both an Observer of stages and a Progress of their work."""

    def __init__(self) -> None:
        self._own = _own_stderr()
        self._console = Console(file=self._own, stderr=True, highlight=False)
        self._bars = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, float] = {}

    def __enter__(self) -> Screen:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()
        if self._own is not None:
            self._own.close()

    @contextmanager
    def libraries_write_to(self, log: Path) -> Iterator[None]:
        """Keep what native libraries write to stderr in a file, away from the progress.

        Where stderr is not the process's own (in tests), it is left alone.
        """
        if self._own is None:
            yield
            return
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            sys.stderr.flush()
            os.dup2(file.fileno(), STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(self._own.fileno(), STDERR)

    def __call__(self, description: str, done: int, total: int, note: str = "") -> None:
        """See :class:`recsys.progress.Progress`."""
        if self._console.is_terminal:
            self._draw(description, done, total, note)
        else:
            self._say_now_and_then(description, done, total, note)

    def starting(self, stage: str, reason: str) -> None:
        """See :class:`recsys.pipeline.stage.Observer`."""
        self.say(f"{stage}: starting ({reason})")

    def finished(self, done: StageResult) -> None:
        """See :class:`recsys.pipeline.stage.Observer`."""
        self.clear()
        how = "reused" if done.reused else f"done in {done.seconds:.1f} s"
        self.say(f"{done.stage}: {how}")

    def say(self, line: str) -> None:
        """One line that stays."""
        self._console.print(line, markup=False, soft_wrap=True)

    def _draw(self, description: str, done: int, total: int, note: str) -> None:
        if description not in self._tasks:
            self.clear()
            self._tasks[description] = self._bars.add_task(description, total=total, note=note)
        self._bars.update(self._tasks[description], completed=done, total=total, note=note)

    def _say_now_and_then(self, description: str, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        began = self._said.setdefault(description, now)
        if now - began >= PLAIN_SECONDS or done >= total:
            self._said[description] = now
            self.say(f"  {description}: {done:,}/{total:,}{f', {note}' if note else ''}")

    def clear(self) -> None:
        """Take away the bars of what is done."""
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()


def _own_stderr() -> TextIO | None:
    """A second way to the process's stderr, which stays when the first leads elsewhere."""
    try:
        if sys.stderr.fileno() != STDERR:
            return None
    except (AttributeError, OSError):
        return None
    return os.fdopen(os.dup(STDERR), "w", buffering=1, encoding="utf-8", errors="replace")
