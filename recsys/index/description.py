"""``index.json``: description of an index folder, and the check against its vectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from recsys.config import Config
from recsys.errors import DataError
from recsys.files import sha256_file, write_json
from recsys.ids import Vectors
from recsys.index.configs import IndexConfig, ScannConfig
from recsys.index.storage import digest, stored

FORMAT_VERSION: Literal[5] = 5
FILE = "index.json"


class Description(Config):
    """Description of an index folder.

    Attributes:
        format_version: Version of the folder's layout.
        config: Configuration of the index.
        items: Number of vectors.
        dimension: Length of each vector.
        vectors_sha256: SHA-256 of the vectors, which are stored elsewhere.
        files: SHA-256 of each other file of the folder, by its path in it.
        facts: Result of the configuration.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> import numpy as np
        >>> from recsys.index.configs import ExactConfig
        >>> vectors = np.ones((2, 3), np.float32)
        >>> write_description(folder, vectors, ExactConfig(), {})
        >>> read_description(folder, vectors).dimension
        3
    """

    format_version: Literal[5] = FORMAT_VERSION
    config: IndexConfig
    items: int
    dimension: int
    vectors_sha256: str
    files: dict[str, str]
    facts: dict[str, Any]

    def stored(self, vectors: Vectors) -> Vectors:
        """The vectors in the storage of the index."""
        config = self.config
        return stored(vectors, config.storage) if isinstance(config, ScannConfig) else vectors


def write_description(
    folder: Path, vectors: Vectors, config: IndexConfig, facts: Mapping[str, Any]
) -> None:
    """Write ``index.json`` for an index over ``vectors``, once its other files are written."""
    items, dimension = vectors.shape
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILE)
    description = Description(
        config=config,
        items=items,
        dimension=dimension,
        vectors_sha256=digest(vectors),
        files={path.relative_to(folder).as_posix(): sha256_file(path) for path in files},
        facts=dict(facts),
    )
    write_json(folder / FILE, description.model_dump(mode="json"))


def read_description(folder: Path, vectors: Vectors) -> Description:
    """Read ``index.json`` and compare it with the vectors and with the folder's other files.

    Damaged files would otherwise be read by compiled loops, which check no bounds.
    """
    path = folder / FILE
    try:
        description = Description.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; build the index again") from error
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"])) or "the file"
        raise DataError(
            f"{path} is not an index description of format version {FORMAT_VERSION}: "
            f"{key}: {fault['msg']}; build the index again"
        ) from error
    expected = (description.items, description.dimension)
    if vectors.shape != expected:
        raise DataError(
            f"{folder} was built over {expected[0]} vectors of {expected[1]} dimensions; "
            f"got {vectors.shape}; load it with its own vectors or build it again"
        )
    if digest(description.stored(vectors)) != description.vectors_sha256:
        raise DataError(
            f"{folder} was built over other vectors of the same shape; "
            "load it with its own vectors or build it again"
        )
    for name, sha256 in description.files.items():
        _check_file(folder / name, sha256)
    return description


def _check_file(path: Path, sha256: str) -> None:
    try:
        found = sha256_file(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; build the index again") from error
    if found != sha256:
        raise DataError(f"{path} does not have the content that was saved; build the index again")
