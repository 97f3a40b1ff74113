"""Files of a live index: the base's folder, the delta, the hidden rows, and their digests."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from recsys.config import Config
from recsys.files import sha256_file, write_json
from recsys.index.api import Index
from recsys.index.live.vectors import LiveVectors

FILE = "live.json"
"""Description of the folder; written last, so that a half-written folder has none."""
BASE = "base"
ROWS, VECTORS, HIDDEN = "rows.npy", "vectors.npy", "hidden.npy"
FORMAT_VERSION: Literal[1] = 1


class LiveDescription(Config):
    """Description of the folder of a live index.

    Attributes:
        format_version: Version of the folder's layout.
        version: Version of the live index.
        size: Number of rows, with deleted ones.
        base_sha256: SHA-256 of the base's ``index.json``.
        files: SHA-256 of each file of arrays, by name.
    """

    format_version: Literal[1] = FORMAT_VERSION
    version: int
    size: int
    base_sha256: str
    files: dict[str, str]


def save_live(base: Index, vectors: LiveVectors, folder: Path) -> None:
    """Write one version, without the vectors of its base, into a new or empty folder."""
    base.save(folder / BASE)
    valid = np.flatnonzero(vectors.delta.valid(vectors.length, vectors.version))
    arrays = {
        ROWS: vectors.delta.rows[valid],
        VECTORS: vectors.delta.vectors[valid],
        HIDDEN: np.flatnonzero(vectors.died <= vectors.version).astype(np.int32),
    }
    for name, array in arrays.items():
        np.save(folder / name, array, allow_pickle=False)
    description = LiveDescription(
        version=vectors.version,
        size=len(vectors),
        base_sha256=sha256_file(folder / BASE / "index.json"),
        files={name: sha256_file(folder / name) for name in arrays},
    )
    write_json(folder / FILE, description.model_dump(mode="json"))
