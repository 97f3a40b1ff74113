"""Modules run as programs in forked processes, in which TensorFlow is already imported.

Importing TensorFlow takes four seconds per process. ``multiprocessing``'s fork server has imported
everything but computed nothing, so that forking is safe. Tests of the start of a program use
``subprocess``.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECONDS = 400.0
"""Longest time that a program may take."""
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["tests.imported"])


@dataclass(frozen=True)
class Program:
    """A running program, and the files of its standard output and error."""

    command: list[str]
    process: BaseProcess
    out: Path
    err: Path

    def wait(self, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
        """Its output and exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: It still runs after ``seconds``.
        """
        self.process.join(seconds)
        code, out, err = self.process.exitcode, self.out.read_text(), self.err.read_text()
        if code is None:
            raise subprocess.TimeoutExpired(self.command, seconds, out, err)
        return subprocess.CompletedProcess(self.command, code, out, err)

    def wait_for(self, written: Callable[[], bool]) -> None:
        """Wait until ``written()``, which reads what the program has written, is true."""
        deadline = time.monotonic() + SECONDS
        while not written():
            assert self.process.is_alive(), f"it ended by itself: {self.err.read_text()}"
            assert time.monotonic() < deadline, f"it did not get there: {self.err.read_text()}"
            time.sleep(0.01)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to its process."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module arguments`` in the project's folder; return its output and exit code.

    Raises:
        subprocess.TimeoutExpired: The process was killed after ``SECONDS``.
    """
    with started(module, *arguments) as program:
        return program.wait()


@contextmanager
def started(module: str, *arguments: object) -> Iterator[Program]:
    """``python -m module arguments``, started in the project's folder, and killed at the end."""
    command = [module, *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        for file in (out, err):
            file.touch()  # for a process that dies before it writes
        process = _FORKED.Process(target=_run, args=(command, out, err))
        process.start()
        try:
            yield Program(command, process, out, err)
        finally:
            process.kill()
            process.join()


def _run(command: list[str], out: Path, err: Path) -> None:
    os.chdir(ROOT)
    # Background jobs of a shell ignore SIGINT, and so do the tests that run in one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream, file in ((sys.stdout, out), (sys.stderr, err)):
        with file.open("wb") as target:
            os.dup2(target.fileno(), stream.fileno())
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
