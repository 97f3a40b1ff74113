"""The common form of all figures, with command, commit, date, machine and seeds.

A record contains no host names and no paths.
"""

from __future__ import annotations

import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from recsys.errors import DataError
from recsys.files import write_json


def write_record(
    path: Path,
    *,
    name: str,
    command: str,
    seeds: Sequence[int],
    figures: Mapping[str, float],
    **extra: Any,
) -> None:
    """Write a record as JSON, atomically.

    Raises:
        DataError: A figure is not a finite number, or ``extra`` cannot be JSON.
    """
    write_json(path, record(name=name, command=command, seeds=seeds, figures=figures, **extra))


def record(
    *, name: str, command: str, seeds: Sequence[int], figures: Mapping[str, float], **extra: Any
) -> dict[str, Any]:
    """A record; see :func:`write_record`.

    Example:
        >>> made = record(name="demo", command="make demo", seeds=[1], figures={"seconds": 2})
        >>> sorted(made)
        ['command', 'commit', 'date', 'figures', 'machine', 'name', 'seeds']
    """
    checked = {str(key): _finite(key, value) for key, value in figures.items()}
    reserved: dict[str, Any] = {
        "name": name,
        "command": command,
        "commit": commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "seeds": [int(seed) for seed in seeds],
        "figures": checked,
    }
    clash = sorted(reserved.keys() & extra.keys())
    if clash:
        raise DataError(f"'{clash[0]}' is a reserved key of records; choose another name")
    return {**reserved, **extra}


_WRITTEN = (":(top,exclude)benchmarks/results", ":(top,exclude,glob)docs/explanation/*.md")


def commit() -> str:
    """The commit of this code, with "-dirty" if tracked files differ from it, or "unknown".

    Records and pages written by benchmarks are not code and do not make it dirty.
    """
    head = _git("rev-parse", "HEAD")
    if not head:
        return "unknown"
    differs = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", *_WRITTEN)
    return head + ("-dirty" if differs else "")


def machine() -> dict[str, Any]:
    """Processor, cores, memory and versions of libraries."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("tensorflow", "scann", "numpy")},
    }


def _finite(name: str, value: float) -> float:
    number = value if isinstance(value, int) and not isinstance(value, bool) else float(value)
    if not math.isfinite(number):
        raise DataError(f"figure '{name}' must be a finite number; it is {value}")
    return number


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
