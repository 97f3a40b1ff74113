"""The split of a run as files that other models can read: logs and queries.

They hold what the engine's own models are trained on and queried with: the same interactions in
the same order and the same histories, the test's with the validation item in it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from benchmarks.quality.peer_models.files import Log, Queries
from recsys.files import atomic_file
from recsys.interactions import Interactions
from recsys.splits import HeldOutQueries, Split


def export(parts: Split, folder: Path) -> dict[str, Path]:
    """Write the files into ``folder``; a name has the digest of its content, and equal files stay.

    Returns:
        Logs ``train`` (for choosing) and ``final`` (for the test), queries ``validation`` and
        ``test``.
    """
    items = len(parts.candidates)
    contents: dict[str, Log | Queries] = {
        "train": log_of(parts.train),
        "final": log_of(parts.final),
        "validation": queries_of(parts.validation, items=items),
        "test": queries_of(parts.test, items=items),
    }
    files = {name: folder / f"{_digest(content)[:16]}.npz" for name, content in contents.items()}
    for name, content in contents.items():
        if not files[name].is_file():
            with atomic_file(files[name]) as part, part.open("wb") as stream:
                content.save(stream)
    return files


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
