"""Loading of a saved live index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from recsys.errors import DataError
from recsys.files import sha256_file
from recsys.ids import Vectors
from recsys.index.arguments import check_vectors
from recsys.index.files import load_index
from recsys.index.live.applying import apply, group_again
from recsys.index.live.changes import Change
from recsys.index.live.files import (
    BASE,
    FILE,
    FORMAT_VERSION,
    HIDDEN,
    ROWS,
    VECTORS,
    LiveDescription,
)
from recsys.index.live.live_index import LiveIndex


def load_live(folder: Path, base_vectors: Vectors) -> LiveIndex:
    """Load what ``LiveIndex.save`` wrote, over the same vectors of its base.

    Raises:
        DataError: The folder is damaged, half-written, or belongs to other vectors.
    """
    description = _read_description(folder)
    if _digest(folder / BASE / "index.json") != description.base_sha256:
        raise DataError(f"{folder / BASE} is not the base that {folder / FILE} names; save again")
    for name, digest in description.files.items():
        if _digest(folder / name) != digest:
            raise DataError(f"{folder / name} does not have the content that was saved; save again")
    rows, vectors, hidden = (_array(folder / name) for name in (ROWS, VECTORS, HIDDEN))
    base = load_index(folder / BASE, base_vectors)
    alive = np.ones(len(base), np.bool_)
    size, inside = description.size, rows[rows < len(base)]
    try:
        alive[hidden] = False
        fits = size >= len(base) and len(np.unique(rows)) == len(rows) and not alive[inside].any()
        fits = fits and vectors.shape == (len(rows), base.dimension)
        if not fits or (len(rows) and not 0 <= rows.min() <= rows.max() < size):
            raise DataError("rows and vectors do not fit the base")
        if len(vectors):
            check_vectors(vectors)
    except (DataError, IndexError) as error:
        raise DataError(f"{folder} is damaged: {error}; save it again") from error
    live = LiveIndex.over(base, alive=alive, version=description.version)
    change = Change(rows, vectors, np.empty(0, np.int32), size)
    return group_again(apply(live, change, description.version))


def _read_description(folder: Path) -> LiveDescription:
    path = folder / FILE
    try:
        return LiveDescription.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror}; the folder holds no whole live index"
        ) from error
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"])) or "the file"
        raise DataError(
            f"{path} does not describe a live index of format version {FORMAT_VERSION}: "
            f"{key}: {fault['msg']}"
        ) from error


def _digest(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; save it again") from error


def _array(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}; save it again") from error
