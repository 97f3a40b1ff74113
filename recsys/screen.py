"""Progress of a run on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from recsys.pipeline.stage import StageResult

STDERR = 2
PLAIN_SECONDS = 5.0
"""Minimum time between two plain lines about the same piece of work."""


class Screen:
    """Shows the progress of a run, as an observer of stages and a callback for progress.

    While it is entered, an interrupt (Ctrl-C) is never lost: Python drops the KeyboardInterrupt of
    a signal that arrives inside a finalizer or a callback of a native library, so that the next
    report of progress raises it again.
    """

    def __init__(self) -> None:
        self._stderr = _copy_of_stderr()
        self._console = Console(file=self._stderr, stderr=True, highlight=False)
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
        self._last_line: dict[str, float] = {}
        self._interrupted = False

    def __enter__(self) -> Screen:
        self._bars.start()
        # A handler of the caller stays, and so does SIG_IGN, which a shell sets for its jobs.
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *raised: object) -> None:
        if signal.getsignal(signal.SIGINT) == self._interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._bars.stop()
        if self._stderr is not None:
            self._stderr.close()

    @contextmanager
    def libraries_write_to(self, log: Path) -> Iterator[None]:
        """Redirect what native libraries write to stderr into a file.

        Does nothing if ``sys.stderr`` is not the process's own, as in tests.
        """
        if self._stderr is None:
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
            os.dup2(self._stderr.fileno(), STDERR)

    def __call__(self, description: str, done: int, total: int, note: str = "") -> None:
        """See :class:`recsys.progress.Progress`.

        Raises:
            KeyboardInterrupt: See :meth:`check_interrupted`.
        """
        self.check_interrupted()
        if self._console.is_terminal:
            if description not in self._tasks:
                self.clear()
                self._tasks[description] = self._bars.add_task(description, total=total, note=note)
            self._bars.update(self._tasks[description], completed=done, total=total, note=note)
            return
        now = time.monotonic()
        last = self._last_line.setdefault(description, now)
        if now - last >= PLAIN_SECONDS or done >= total:
            self._last_line[description] = now
            self.say(f"  {description}: {done:,}/{total:,}{f', {note}' if note else ''}")

    def starting(self, stage: str, reason: str) -> None:
        """See :class:`recsys.pipeline.stage.Observer`.

        Raises:
            KeyboardInterrupt: See :meth:`check_interrupted`.
        """
        self.check_interrupted()
        self.say(f"{stage}: starting ({reason})")

    def chosen(self, choice: object) -> None:
        """See :class:`recsys.pipeline.stage.Observer`."""
        self.say(f"chosen from the data: {choice}")

    def finished(self, result: StageResult) -> None:
        """See :class:`recsys.pipeline.stage.Observer`."""
        self.clear()
        status = "reused" if result.reused else f"done in {result.seconds:.1f} s"
        self.say(f"{result.stage}: {status}")

    def check_interrupted(self) -> None:
        """Raise the interrupt again that arrived earlier and was dropped.

        Raises:
            KeyboardInterrupt: An interrupt arrived since this screen was entered.
        """
        if self._interrupted:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        raise KeyboardInterrupt

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(line, markup=False, soft_wrap=True)

    def clear(self) -> None:
        """Remove all bars."""
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()


def quiet_libraries() -> None:
    """Keep TensorFlow from warning of every missing graphics card; call before it is loaded."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _copy_of_stderr() -> TextIO | None:
    """A copy of the process's stderr that remains when stderr is redirected."""
    try:
        if sys.stderr.fileno() != STDERR:
            return None
    except (AttributeError, OSError):
        return None
    return os.fdopen(os.dup(STDERR), "w", buffering=1, encoding="utf-8", errors="replace")
