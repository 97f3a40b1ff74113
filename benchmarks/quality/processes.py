"""A piece of work in a process of its own, so that its time and its memory are its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys.files import write_json

REQUEST, LOG = "request.json", "log.txt"
TAIL = 15
"""Lines of its log that a failure shows."""


class Failed(Exception):
    """It did not end well; the message holds the last lines of its log."""


def run(command: Sequence[str], request: Mapping[str, Any], folder: Path) -> None:
    """Run ``command REQUEST.json`` and wait; what it says goes to ``log.txt`` in the folder.

    Raises:
        Failed: It ended with another code than 0.
    """
    path = folder / REQUEST
    write_json(path, request)
    with (folder / LOG).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*command, str(path)],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            code = process.wait()
        except BaseException:  # Ctrl-C: it must not outlive us
            process.terminate()
            process.wait()
            raise
    if code:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        last = "\n".join(lines[-TAIL:])
        raise Failed(f"{command[-1]} ended with code {code}; the end of {folder / LOG}:\n{last}")
