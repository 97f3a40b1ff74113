"""The split of a run as files that any peer can read: one log a part, and the queries.

What is written is what ours learns from and is asked: the same interactions in the same order, the
same histories, the test's with the validation item in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.peer_models.files import Log, Queries
from recsys.files import atomic_file
from recsys.interactions import Interactions
from recsys.splits import HeldOutQueries, Split


@dataclass(frozen=True)
class Exported:
    """Where the files are.

    Attributes:
        logs: ``train`` to choose on, ``final`` to be tested.
        queries: ``validation`` and ``test``.
        marks: Of each file, the sha256 of what it holds.
    """

    logs: Mapping[str, Path]
    queries: Mapping[str, Path]
    marks: Mapping[str, str]


def export(parts: Split, folder: Path) -> Exported:
    """Write the files into ``folder``; those that are there with the same content stay."""
    items = len(parts.candidates)
    logs = {"train": log_of(parts.train), "final": log_of(parts.final)}
    queries = {
        "validation": queries_of(parts.validation, items=items),
        "test": queries_of(parts.test, items=items),
    }
    marks = {name: _mark(held) for name, held in {**logs, **queries}.items()}
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}-{mark[:12]}.npz" for name, mark in marks.items()}
    for name, held in {**logs, **queries}.items():
        if not files[name].is_file():
            with atomic_file(files[name]) as part:
                held.save(part)
    return Exported(
        {name: files[name] for name in logs}, {name: files[name] for name in queries}, marks
    )


def log_of(log: Interactions) -> Log:
    """Interactions as a peer reads them."""
    return Log(log.user, log.item, len(log.users), len(log.items))


def queries_of(queries: HeldOutQueries, *, items: int) -> Queries:
    """Queries as a peer reads them; their targets stay here."""
    return Queries(queries.user, queries.history_offsets, queries.history_rows, items)


def _mark(held: Log | Queries) -> str:
    digest = hashlib.sha256()
    told: dict[str, Any] = vars(held)
    for name, value in sorted(told.items()):
        array = np.ascontiguousarray(value)
        digest.update(f"{name} {array.dtype} {array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
