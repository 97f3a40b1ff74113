"""Modules run as programs, each in a process of its own that finds TensorFlow already imported.

An import takes four seconds and the suite would do it a dozen times. The server that forks these
processes (``multiprocessing``'s) has imported all and computed nothing, so that it forks safely.
What only a program that starts from nothing can show is tested with ``subprocess``.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["tests.imported"])


def run(module: str, *arguments: object, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """``python -m module arguments``, from the project's folder: what it printed, how it ended.

    Raises:
        subprocess.TimeoutExpired: It ran longer than ``timeout`` seconds, and was killed.
    """
    command = [module, *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        for file in (out, err):
            file.touch()  # to be read even where the process died before it wrote
        process = _FORKED.Process(target=_program, args=(command, out, err))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(
            command, process.exitcode, out.read_text(), err.read_text()
        )


def _program(command: list[str], out: Path, err: Path) -> None:
    os.chdir(ROOT)
    for stream, file in ((sys.stdout, out), (sys.stderr, err)):
        with file.open("wb") as there:
            os.dup2(there.fileno(), stream.fileno())
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
