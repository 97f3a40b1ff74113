"""Parts of a benchmark in processes of their own, so that neither shares memory or threads.

Only the standard library is imported, so that the environment of other models can use it too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

REQUEST, RESULT, LOG = "request.json", "result.json", "log.txt"
TAIL = 15
"""Number of log lines in the message of a failure."""


class ProcessFailed(Exception):
    """The process failed; the message holds the last lines of its log."""


def run_process(
    module: str, request: Mapping[str, Any], folder: Path, *, python: str = sys.executable
) -> dict[str, Any]:
    """The result of ``python -m MODULE REQUEST.json``; its output goes to ``log.txt``.

    Raises:
        ProcessFailed: Its exit code is not 0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REQUEST
    path.write_text(json.dumps(request, indent=1), encoding="utf-8")
    with (folder / LOG).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [python, "-m", module, str(path)],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            code = process.wait()
        except BaseException:  # Ctrl-C must end the process, too
            process.terminate()
            process.wait()
            raise
    if code:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(lines[-TAIL:])
        raise ProcessFailed(f"{module} ended with code {code}; the end of {folder / LOG}:\n{tail}")
    result: dict[str, Any] = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return result


def answer_request(answer: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """Answer the request that the command line names, within the process of :func:`run_process`."""
    path = Path(sys.argv[1])
    result = answer(json.loads(path.read_text(encoding="utf-8")))
    (path.parent / RESULT).write_text(json.dumps(result), encoding="utf-8")


def peak_gib() -> float:
    """Peak memory of this process in GiB, without that of the process that forked it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 2**20
