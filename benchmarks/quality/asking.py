"""What is asked for on the command line, done part by part, and shown."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.quality.processes import Failed
from recsys.errors import RecsysError
from recsys.files import read_json

Tell = Callable[[str], None]
EXPECTED = (Failed, RecsysError, OSError, subprocess.CalledProcessError)
"""What may go wrong with one part and must not cost the others."""


def seeds_of(text: str) -> list[int]:
    """Seeds from text such as ``1,2,3``.

    Raises:
        argparse.ArgumentTypeError: A seed stands twice or is below 0.

    Example:
        >>> seeds_of("1,2,3")
        [1, 2, 3]
    """
    seeds = [int(part) for part in text.split(",")]
    if len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise argparse.ArgumentTypeError(f"seeds are whole numbers, each once; got {text}")
    return seeds


def on_stderr() -> Tell:
    """What tells of every part in a line."""
    console = Console(stderr=True, highlight=False)
    return lambda line: console.print(line, markup=False, soft_wrap=True)


def brought(parts: Iterable[tuple[str, Callable[[], None]]], tell: Tell) -> list[str]:
    """Do what each name stands for, one after another; what failed, and why."""
    failures = []
    for name, bring in parts:
        try:
            bring()
        except EXPECTED as error:
            failures.append(f"{name}: {error}")
            tell(f"failed: {failures[-1]}")
    return failures


def shown(
    record: Path,
    tables: Callable[[Mapping[str, Any]], Iterable[Table]],
    *,
    as_json: bool,
) -> None:
    """Print the record as it now stands, where there is one: its tables, or all of it."""
    if not record.is_file():
        return
    content = read_json(record)
    if as_json:
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return
    for table in tables(content):
        Console().print(table)
