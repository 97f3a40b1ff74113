"""Storage of encoders: a folder with ``encoder.json``, which lists the files with checksums."""

from __future__ import annotations

import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from recsys.encoders.contents import Contents
from recsys.encoders.encoder import Encoded, Kind
from recsys.errors import EncoderError
from recsys.files import atomic_folder, load_arrays, read_json, sha256_file, write_json
from recsys.version import __version__

FORMAT = "recsys.encoder"
VERSION = 1
HEADER = "encoder.json"
ARRAYS = "weights.npz"

EncoderParts = Mapping[str, Any]
"""Arrays (stored in one ``.npz``) and bytes (stored as files of their own), by name."""


class StoredEncoder(ABC):
    """Base class of the encoders: name, fingerprint and storage.

    A subclass is a frozen dataclass with two constructors: ``build(config, training, checkpoints,
    progress)``, see :func:`~recsys.encoders.registry.build_encoder`, and ``restore(config,
    parts)``, which takes what :meth:`parts` returned.
    """

    kind: ClassVar[Kind] = "text"
    config: Any

    @property
    def name(self) -> str:
        """Name in the registry."""
        return str(self.config.name)

    @property
    def dimension(self) -> int:
        """Length of the vectors; that of the configuration unless overridden."""
        return int(self.config.dimension)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings that change the vectors and are not visible in the parts."""
        return {}

    @abstractmethod
    def parts(self) -> EncoderParts:
        """Arrays and files that make up the encoder."""

    @abstractmethod
    def encode(self, contents: Contents) -> Encoded:
        """See :class:`~recsys.encoders.encoder.Encoder`."""

    @cached_property
    def fingerprint(self) -> str:
        """Stable hash, 32 hex digits, of the name, the settings and the parts."""
        head = json.dumps([VERSION, self.name, self.settings], sort_keys=True)
        digest = hashlib.sha256(head.encode())
        for key, part in sorted(self.parts().items()):
            if isinstance(part, bytes):
                digest.update(f"{key}:{len(part)}:".encode() + part)
            else:
                digest.update(f"{key}:{part.dtype.str}:{part.shape}:".encode())
                digest.update(np.ascontiguousarray(part).data.cast("B") if part.size else b"")
        return digest.hexdigest()[:32]

    def save(self, folder: Path) -> None:
        """See :class:`~recsys.encoders.encoder.Encoder`."""
        if folder.exists() and not (folder / HEADER).is_file() and any(folder.iterdir()):
            raise EncoderError(
                f"{folder} holds files that are not an encoder; choose an empty or a new folder"
            )
        parts = self.parts()
        arrays = {name: part for name, part in parts.items() if not isinstance(part, bytes)}
        try:
            with atomic_folder(folder) as fresh:
                if arrays:
                    np.savez(fresh / ARRAYS, **arrays)
                for name in parts.keys() - arrays.keys():
                    (fresh / name).write_bytes(parts[name])
                header = {
                    "format": FORMAT,
                    "version": VERSION,
                    "name": self.name,
                    "config": _without_folders(self.config.model_dump(mode="json")),
                    "dimension": self.dimension,
                    "fingerprint": self.fingerprint,
                    "files": {path.name: _seal(path) for path in sorted(fresh.iterdir())},
                    "written_by": {"recsys": __version__, "numpy": np.__version__},
                }
                write_json(fresh / HEADER, header)
        except OSError as error:
            raise EncoderError(f"cannot write the encoder to {folder}: {error}") from error


def numbered(weights: Iterable[npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """The weights of a network as parts, in their order."""
    return {f"w{number:05}": weight for number, weight in enumerate(weights)}


def in_order(parts: EncoderParts) -> list[npt.NDArray[Any]]:
    """The weights that :func:`numbered` named."""
    return [parts[key] for key in sorted(parts) if key[0] == "w" and key[1:].isdigit()]


@dataclass(frozen=True, eq=False)
class SavedEncoder:
    """Content of the folder of an encoder."""

    name: str
    config: Mapping[str, Any]
    fingerprint: str
    parts: EncoderParts


def read_saved(folder: Path) -> SavedEncoder:
    """Read what :meth:`StoredEncoder.save` wrote, and check each file against its checksum."""
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
    files = set(header["files"]) - {ARRAYS}
    try:
        parts = dict(load_arrays(folder / ARRAYS)) if ARRAYS in header["files"] else {}
        parts |= {name: (folder / name).read_bytes() for name in files}
    except (OSError, ValueError) as error:
        raise EncoderError(f"cannot read {folder}: {error}; build the encoder again") from error
    return SavedEncoder(header["name"], header["config"], header["fingerprint"], parts)


def _header(folder: Path) -> dict[str, Any]:
    path = folder / HEADER
    try:
        header = read_json(path)
    except FileNotFoundError as error:
        raise EncoderError(
            f"expected a saved encoder; {path} does not exist: build and save one first"
        ) from error
    except (OSError, ValueError) as error:
        raise EncoderError(f"{path} is damaged: {error}; build the encoder again") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise EncoderError(f"{path} does not describe an encoder; choose a saved encoder")
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


def _without_folders(value: Any) -> Any:
    """``value`` with only the last part of each path, to publish nothing about the machine."""
    if isinstance(value, Mapping):
        return {key: _without_folders(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_folders(part) for part in value]
    named = isinstance(value, str) and os.path.isabs(value)
    return Path(value).name if named else value
