"""Parts of the benchmark that are kept: made once, in a folder that its making is named after.

A part's folder is there whole once it holds ``part.json``. What a killed run left in it is gone on
from by who can, and written over by who cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from recsys.evaluation.record import commit, machine
from recsys.files import LOCK, lock, read_json, sha256_json, write_json

PART = "part.json"
Made = dict[str, Any]


def keep(
    folder: Path, *, name: str, rests_on: Any, make: Callable[[Path], Mapping[str, Any]]
) -> Made:
    """What ``make`` made, from the folder or anew.

    Args:
        folder: Where parts of this kind are.
        name: What a person finds it by.
        rests_on: A JSON value of all that it depends on.
        make: From the part's own folder to a JSON object.

    Returns:
        The object, with the ``date``, ``commit`` and ``machine`` of its making.

    Raises:
        ConfigError: Another run is making it.
    """
    own = folder / f"{name}-{sha256_json(rests_on)[:12]}"
    with lock(own / LOCK, wait=False):
        held = _held(own / PART)
        if held is None:
            made = make(own)
            date = datetime.now(timezone.utc).isoformat(timespec="seconds")
            held = {**made, "date": date, "commit": commit(), "machine": machine()}
            write_json(own / PART, held)
    return held


def _held(path: Path) -> Made | None:
    try:
        held: Made = read_json(path)
    except (OSError, ValueError):
        return None
    return held
