"""Cached results: computed once, in a folder named after all that they depend on.

A result is complete once its folder holds ``part.json``. Files of an interrupted computation stay,
so that it can continue from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from recsys.evaluation.record import commit, machine
from recsys.files import LOCK, lock, read_json, sha256_json, write_json

RESULT = "part.json"
Result = dict[str, Any]


def cached_result(
    folder: Path, *, name: str, depends_on: Any, compute: Callable[[Path], Mapping[str, Any]]
) -> Result:
    """The cached result, or the one that ``compute`` returns.

    Args:
        folder: Folder of results of this kind.
        name: Name that its folder starts with.
        depends_on: JSON value of all that the result depends on.
        compute: Function from the result's own folder to a JSON object.

    Returns:
        The object, with the ``date``, ``commit`` and ``machine`` of its computation.

    Raises:
        ConfigError: Another process is computing it.
    """
    own = folder / f"{name}-{sha256_json(depends_on)[:12]}"
    with lock(own / LOCK, wait=False):
        result = _load(own / RESULT)
        if result is None:
            computed = compute(own)
            date = datetime.now(timezone.utc).isoformat(timespec="seconds")
            result = {**computed, "date": date, "commit": commit(), "machine": machine()}
            write_json(own / RESULT, result)
    return result


def _load(path: Path) -> Result | None:
    try:
        result: Result = read_json(path)
    except (OSError, ValueError):
        return None
    return result
