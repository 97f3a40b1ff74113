"""How an encoder lies on disk: a folder with ``encoder.json`` and the files it vouches for.

Written beside its place and renamed, so that a folder is whole or not there. What the arrays mean
is the business of each encoder.
"""

from __future__ import annotations

import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import recsys
from recsys.config import Config
from recsys.errors import EncoderError
from recsys.files import atomic_folder, load_arrays, read_json, save_arrays, sha256_file, write_json

FORMAT = "recsys.encoder"
VERSION = 1
HEADER = "encoder.json"
ARRAYS = "weights.npz"

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Saved:
    """An encoder as written.

    Attributes:
        name: Its name in the registry.
        config: Its config as plain values.
        dimension: Length of its vectors.
        fingerprint: What the encoder said of itself.
        arrays: Its numbers, by name.
        files: Its other files, by name.
    """

    name: str
    config: Mapping[str, Any]
    dimension: int
    fingerprint: str
    arrays: Arrays
    files: Mapping[str, bytes]


class SavedEncoder(ABC):
    """The part of an encoder that is the same for all: its name, and how it is written.

    A subclass says which arrays and files make it up, and has a ``restore`` that takes them.
    """

    config: Any

    @property
    def name(self) -> str:
        name: str = self.config.name
        return name

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of its vectors."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """See :func:`fingerprint_of`."""

    @abstractmethod
    def arrays(self) -> Arrays:
        """Its numbers, by name."""

    def files(self) -> Mapping[str, bytes]:
        """Its other files, by name."""
        return {}

    def save(self, folder: Path) -> None:
        """See :class:`~recsys.encoders.base.Encoder`."""
        config: Config = self.config
        plain = config.model_dump(mode="json")
        parts = (self.dimension, self.fingerprint, self.arrays(), self.files())
        write(folder, Saved(self.name, plain, *parts))


def fingerprint_of(name: str, config: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """A stable hash, 32 hex digits, of an encoder's name, config and parts (arrays or bytes).

    ``config`` holds only what changes the vectors: no paths, no batch sizes.
    """
    digest = hashlib.sha256(json.dumps([VERSION, name, config], sort_keys=True).encode())
    for key in sorted(parts):
        part = parts[key]
        if isinstance(part, np.ndarray):
            digest.update(f"{key}:{part.dtype.str}:{part.shape}:".encode())
            digest.update(np.ascontiguousarray(part).data.cast("B") if part.size else b"")
        else:
            digest.update(f"{key}:{len(part)}:".encode() + part)
    return digest.hexdigest()[:32]


def write(folder: Path, saved: Saved) -> None:
    """Write ``saved`` as ``folder``, replacing what was there.

    Raises:
        EncoderError: ``folder`` holds something that is not an encoder, or cannot be written.
    """
    if folder.exists() and not (folder / HEADER).is_file() and any(folder.iterdir()):
        raise EncoderError(
            f"{folder} holds files that are no encoder; choose an empty or a new folder"
        )
    try:
        with atomic_folder(folder) as fresh:
            if saved.arrays:
                save_arrays(fresh / ARRAYS, saved.arrays)
            for name, content in saved.files.items():
                (fresh / name).write_bytes(content)
            names = sorted(path.name for path in fresh.iterdir())
            header = {
                "format": FORMAT,
                "version": VERSION,
                "name": saved.name,
                "config": _without_folders(saved.config),
                "dimension": saved.dimension,
                "fingerprint": saved.fingerprint,
                "files": {name: _seal(fresh / name) for name in names},
                "written_by": {"recsys": recsys.__version__, "numpy": np.__version__},
            }
            write_json(fresh / HEADER, header)
    except OSError as error:
        raise EncoderError(f"cannot write the encoder to {folder}: {error}") from error


def _without_folders(value: Any) -> Any:
    """Of every path its last part: what is published tells nothing of the machine that made it."""
    if isinstance(value, Mapping):
        return {key: _without_folders(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_folders(part) for part in value]
    named = isinstance(value, str) and os.path.isabs(value)
    return Path(value).name if named else value


def read(folder: Path) -> Saved:
    """Read what :func:`write` wrote, checking every file against its checksum.

    Raises:
        EncoderError: The folder is no encoder, of another version, or a file is missing or
            changed; the message names it.
    """
    header = _header(folder)
    for name, seal in header["files"].items():
        path = folder / name
        if not path.is_file():
            raise EncoderError(f"{path} is missing; copy the encoder again or build it again")
        if (found := _seal(path)) != seal:
            raise EncoderError(
                f"{path} is damaged: expected {seal['bytes']:,} bytes with sha256 "
                f"{seal['sha256'][:12]}..., found {found['bytes']:,} bytes with "
                f"{found['sha256'][:12]}...; copy the encoder again or build it again"
            )
    try:
        arrays = load_arrays(folder / ARRAYS) if ARRAYS in header["files"] else {}
        others = [name for name in header["files"] if name != ARRAYS]
        files = {name: (folder / name).read_bytes() for name in others}
    except (OSError, ValueError) as error:
        raise EncoderError(f"cannot read {folder}: {error}; build the encoder again") from error
    return Saved(
        name=header["name"],
        config=header["config"],
        dimension=header["dimension"],
        fingerprint=header["fingerprint"],
        arrays=arrays,
        files=files,
    )


def _header(folder: Path) -> dict[str, Any]:
    path = folder / HEADER
    try:
        header = read_json(path)
    except FileNotFoundError as error:
        raise EncoderError(
            f"expected a saved encoder; {path} is not there: build and save one first"
        ) from error
    except (OSError, ValueError) as error:
        raise EncoderError(f"{path} is damaged: {error}; build the encoder again") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise EncoderError(f"{path} does not describe an encoder; point to a saved encoder")
    if header.get("version") != VERSION:
        raise EncoderError(
            f"{path} has format version {header.get('version')!r}; this recsys reads {VERSION}: "
            "build the encoder again, or use the recsys that wrote it"
        )
    kinds = {"name": str, "config": dict, "dimension": int, "fingerprint": str, "files": dict}
    for key, kind in kinds.items():
        if not isinstance(header.get(key), kind):
            raise EncoderError(f"{path} is damaged: no valid '{key}'; build the encoder again")
    for name in header["files"]:
        if Path(name).name != name:
            raise EncoderError(
                f"{path} names '{name}', outside its folder; build the encoder again"
            )
    return header


def _seal(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
