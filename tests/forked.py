"""Modules run as programs in forked processes, in which TensorFlow is already imported.

Importing TensorFlow takes four seconds per process. ``multiprocessing``'s fork server has imported
everything but computed nothing, so that forking is safe. Tests of the start of a program use
``subprocess``.
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
    """Run ``python -m module arguments`` in the project's folder; return its output and exit code.

    Raises:
        subprocess.TimeoutExpired: The process was killed after ``timeout`` seconds.
    """
    command = [module, *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        for file in (out, err):
            file.touch()  # for a process that dies before it writes
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
        with file.open("wb") as target:
            os.dup2(target.fileno(), stream.fileno())
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
