"""The split of a run as files that other models can read: logs and queries.

They hold what the engine's own models are trained on and queried with: the same interactions in
the same order and the same histories, the test's with the validation item in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.quality.peer_models.files import Log, Queries
from recsys.files import atomic_file
from recsys.interactions import Interactions
from recsys.splits import HeldOutQueries, Split


@dataclass(frozen=True)
class ExportedSplit:
    """Paths of the files."""

    logs: Mapping[str, Path]
    queries: Mapping[str, Path]
    digests: Mapping[str, str]


def export(parts: Split, folder: Path) -> ExportedSplit:
    """Write the files into ``folder``; files with the same content stay."""
    items = len(parts.candidates)
    logs = {"train": log_of(parts.train), "final": log_of(parts.final)}
    queries = {
        "validation": queries_of(parts.validation, items=items),
        "test": queries_of(parts.test, items=items),
    }
    contents = {**logs, **queries}
    digests = {name: _digest(content) for name, content in contents.items()}
    files = {name: folder / f"{name}-{digest[:12]}.npz" for name, digest in digests.items()}
    for name, content in contents.items():
        if not files[name].is_file():
            with atomic_file(files[name]) as part, part.open("wb") as stream:
                content.save(stream)
    return ExportedSplit(
        {name: files[name] for name in logs}, {name: files[name] for name in queries}, digests
    )


def log_of(log: Interactions) -> Log:
    """Interactions for a peer."""
    return Log(log.user, log.item, len(log.users), len(log.items))


def queries_of(queries: HeldOutQueries, *, items: int) -> Queries:
    """Queries for a peer, without their targets."""
    return Queries(queries.user, queries.history_offsets, queries.history_rows, items)


def _digest(content: Log | Queries) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(vars(content).items()):
        array = np.ascontiguousarray(value)
        digest.update(f"{name} {array.dtype} {array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
