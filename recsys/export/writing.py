"""Writes a folder of embeddings, whole or not at all.

FOLDER/export.json                  contents, with the SHA-256 of every file
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
class ExportedSet:
    """Summary of one set of embeddings that was written.

    Attributes:
        name: Name of the files.
        vectors: Number of vectors.
        dimension: Length of the vectors.
        thumbnail_side: Side of the thumbnails in pixels; None without a sprite.
        thumbnails: Number of vectors with a picture.
        without_sprite: Reason for which there is no sprite although there are pictures, or None.

    Example:
        >>> ExportedSet("users", 10, 64).thumbnail_side is None
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
) -> list[ExportedSet]:
    """Write ``folder``, or replace an earlier export.

    ``about`` holds JSON values on the origin of the embeddings, for ``export.json``.

    Raises:
        DataError: There is nothing to write, two sets have one name, the folder holds something
            else, or it cannot be written.
    """
    names = [each.name for each in sets]
    if not names or len(set(names)) < len(names):
        raise DataError(f"expected embeddings of different names to export; got {names or 'none'}")
    _check_target(folder)
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


def _write(each: Embeddings, folder: Path, progress: Progress) -> ExportedSet:
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
        return ExportedSet(each.name, size, dimension)
    grid = grid_of(size)
    if grid is None:
        why = (
            f"{size:,} thumbnails of at least {LEAST_SIDE} pixels do not fit {LARGEST} x {LARGEST}"
        )
        return ExportedSet(each.name, size, dimension, without_sprite=why)
    drawn = write_sprite(each, grid, shown / SPRITE, progress=progress)
    if not drawn:
        (shown / SPRITE).unlink()
        return ExportedSet(each.name, size, dimension, without_sprite="no picture can be read")
    return ExportedSet(each.name, size, dimension, grid.side, drawn)


def _describe(folder: Path, written: Sequence[ExportedSet], about: Mapping[str, Any]) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = {
        "format": FORMAT,
        "version": VERSION,
        **about,
        "sets": [asdict(made) for made in written],
        "files": {path.relative_to(folder).as_posix(): sha256_file(path) for path in files},
    }
    write_json(folder / MANIFEST, content)


def _check_target(folder: Path) -> None:
    """Refuse a path that holds something other than an earlier export."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise DataError(f"{folder} exists and is not a folder; choose another path")
    if not any(folder.iterdir()):
        return
    try:
        found = read_json(folder / MANIFEST)
        ours = found.get("format") == FORMAT
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        raise DataError(f"{folder} holds something other than exported embeddings; choose another")
