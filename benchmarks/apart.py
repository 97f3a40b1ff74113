"""Parts of a benchmark: each in a process of its own, and on disk when it is done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recsys.files import read_json, write_json


def apart(module: str, part: str) -> dict[str, Any]:
    """The JSON that ``python -m MODULE PART`` prints on its last line.

    A process of its own, so that no part is in another's memory or threads.
    """
    command = [sys.executable, "-m", module, part]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def kept(folder: Path, part: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a part came to: read where it is in ``folder``, measured and written where it is not.

    The folder goes when the benchmark has written its record, so that one that was stopped goes on
    after its last part, and one that was not begins anew.
    """
    path = folder / f"{part}.json"
    if not path.exists():
        print(f"{folder.name}: {part}", file=sys.stderr, flush=True)
        write_json(path, measure())
    found: dict[str, Any] = read_json(path)
    return found
