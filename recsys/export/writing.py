"""A folder of embeddings, there whole or not at all.

FOLDER/export.json                  what it holds, with the sha256 of every file
FOLDER/NAME.parquet                 ids and vectors (list of float32)
FOLDER/NAME.npy  NAME.ids.json      the same as an array and a list, in the same order
FOLDER/projector/                   a log folder for TensorBoard
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.export.embeddings import Embeddings
from recsys.export.projector import (
    CONFIG,
    METADATA,
    SPRITE,
    VECTORS,
    config_text,
    write_metadata,
    write_vectors_tsv,
)
from recsys.export.sprites import LARGEST, LEAST_SIDE, grid_of, write_sprite
from recsys.files import atomic_folder, read_json, sha256_file, write_json, write_text
from recsys.formats import NamedVectors, write_vectors
from recsys.progress import Progress, silent

FORMAT = "recsys.embeddings"
VERSION = 1
MANIFEST, PROJECTOR = "export.json", "projector"


@dataclass(frozen=True)
class Exported:
    """One set of embeddings as it was written.

    Attributes:
        name: Of its files.
        vectors: How many.
        dimension: How long each is.
        thumbnail_side: Of its thumbnails in pixels; None where there is no sprite.
        thumbnails: How many have a picture.
        without_sprite: Why there is no sprite, where there are pictures; or None.

    Example:
        >>> Exported("users", 10, 64).thumbnail_side is None
        True
    """

    name: str
    vectors: int
    dimension: int
    thumbnail_side: int | None = None
    thumbnails: int = 0
    without_sprite: str | None = None


def export(
    sets: Sequence[Embeddings],
    folder: Path,
    *,
    about: Mapping[str, Any],
    progress: Progress = silent,
) -> list[Exported]:
    """Write ``folder``, in place of an earlier export that is there.

    Args:
        sets: Each under its own name.
        folder: New, empty, or an earlier export.
        about: Where they come from, JSON values, kept in ``export.json``.
        progress: Told what is written.

    Raises:
        DataError: There is nothing to write, two sets have one name, the folder holds something
            else, or it cannot be written.
    """
    names = [each.name for each in sets]
    if not names or len(set(names)) < len(names):
        raise DataError(f"expected embeddings of different names to export; got {names or 'none'}")
    _check_place(folder)
    try:
        with atomic_folder(folder) as draft:
            written = []
            for done, each in enumerate(sets):
                progress("export", done, len(sets), each.name)
                written.append(_write(each, draft, progress))
            progress("export", len(sets), len(sets))
            pairs = [(each, made.thumbnail_side) for each, made in zip(sets, written)]
            write_text(draft / PROJECTOR / CONFIG, config_text(pairs))
            _describe(draft, written, about)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error}") from error
    return written


def _write(each: Embeddings, folder: Path, progress: Progress) -> Exported:
    write_vectors(
        folder / f"{each.name}.parquet", NamedVectors(each.ids, each.vectors), ids=each.column
    )
    np.save(folder / f"{each.name}.npy", each.vectors, allow_pickle=False)
    write_json(folder / f"{each.name}.ids.json", each.ids)
    shown = folder / PROJECTOR / each.name
    shown.mkdir(parents=True)
    write_vectors_tsv(each, shown / VECTORS)
    write_metadata(each, shown / METADATA)
    size, dimension = each.vectors.shape
    if each.thumbnail is None:
        return Exported(each.name, size, dimension)
    grid = grid_of(size)
    if grid is None:
        why = (
            f"{size:,} thumbnails of at least {LEAST_SIDE} pixels do not fit {LARGEST} x {LARGEST}"
        )
        return Exported(each.name, size, dimension, without_sprite=why)
    drawn = write_sprite(each, grid, shown / SPRITE, progress=progress)
    if not drawn:
        (shown / SPRITE).unlink()
        return Exported(each.name, size, dimension, without_sprite="no picture can be read")
    return Exported(each.name, size, dimension, grid.side, drawn)


def _describe(folder: Path, written: Sequence[Exported], about: Mapping[str, Any]) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = {
        "format": FORMAT,
        "version": VERSION,
        **about,
        "sets": [asdict(made) for made in written],
        "files": {path.relative_to(folder).as_posix(): sha256_file(path) for path in files},
    }
    write_json(folder / MANIFEST, content)


def _check_place(folder: Path) -> None:
    """Refuse a place that holds something else than an earlier export."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise DataError(f"{folder} is there and is no folder; choose another place")
    if not any(folder.iterdir()):
        return
    try:
        found = read_json(folder / MANIFEST)
        ours = found.get("format") == FORMAT
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        raise DataError(f"{folder} holds something else than exported embeddings; choose another")
