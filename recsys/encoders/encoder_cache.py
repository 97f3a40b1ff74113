"""Cache of one trained encoder, reused while the catalogue changes a little.

A new training would change the vector of every item. The stored encoder is therefore reused, and
a changed title costs one encoding, until the configuration, its files or much of the catalogue
change.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.encoders.bert.config import PRESET
from recsys.encoders.configs import EncoderConfig, JoinedConfig
from recsys.encoders.contents import Contents, content_hash, readable
from recsys.encoders.encoder import Encoder
from recsys.encoders.illustrations import ILLUSTRATIONS
from recsys.encoders.registry import build_encoder, load_encoder
from recsys.errors import EncoderError, NotFoundError
from recsys.files import load_arrays, save_arrays, sha256_file
from recsys.formats import resolve
from recsys.progress import Progress, silent

_TRAINED = ("word-vectors", "word2vec", "bag-of-words", "lsa", "elmo", "auto-encoder")
"""Encoders that depend on the contents they are built on."""


def obtain_encoder(
    config: EncoderConfig,
    training: Contents,
    folder: Path,
    *,
    retrain_share: float = 0.1,
    progress: Progress = silent,
) -> Encoder:
    """The encoder stored in ``folder``, built first if it is missing or out of date.

    It is out of date if ``config`` or a file that it names changed, or if more than
    ``retrain_share`` of the contents of ``training`` were not among those it was built on. An
    interrupted training resumes from its last checkpoint; a damaged encoder is built again.
    Illustrations of the build are stored in ``folder / ILLUSTRATIONS``.

    Raises:
        EncoderError: It cannot be built.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> from recsys.encoders import Word2VecConfig
        >>> config = Word2VecConfig(dimension=4, min_count=1, epochs=1)
        >>> first = obtain_encoder(config, ["red lamp"] * 10, folder)
        >>> obtain_encoder(config, ["red lamp"] * 10, folder).fingerprint == first.fingerprint
        True
    """
    key = _key(config)
    trained = any(part.name in _TRAINED for part in _parts(config))
    contents = _hashes(training) if trained else np.zeros(0, np.uint64)
    stored = _stored(folder, key, contents, retrain_share)
    if stored is not None:
        progress("reuse the encoder", 1, 1, config.name)
        return stored
    checkpoints = folder / "checkpoints"
    encoder = build_encoder(config, training, checkpoints=checkpoints, progress=progress)
    encoder.save(folder / "encoder")
    shutil.rmtree(folder / ILLUSTRATIONS, ignore_errors=True)
    if (checkpoints / ILLUSTRATIONS).is_dir():
        os.replace(checkpoints / ILLUSTRATIONS, folder / ILLUSTRATIONS)
    built_from: dict[str, Any] = {
        "key": key,
        "fingerprint": encoder.fingerprint,
        "contents": contents,
    }
    save_arrays(folder / "built_from.npz", built_from)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return encoder


def _stored(
    folder: Path, key: str, contents: npt.NDArray[np.uint64], retrain_share: float
) -> Encoder | None:
    """The encoder in ``folder`` if it is whole and up to date."""
    try:
        built_from = load_arrays(folder / "built_from.npz")
        known, fingerprint = built_from["contents"], str(built_from["fingerprint"])
        new = float(np.isin(contents, known, invert=True).mean()) if len(contents) else 0.0
        if str(built_from["key"]) != key or new > retrain_share:
            return None
        encoder = load_encoder(folder / "encoder")
    except (OSError, ValueError, KeyError, EncoderError):
        return None  # Missing or damaged: it is built again.
    return encoder if encoder.fingerprint == fingerprint else None


def _hashes(training: Contents) -> npt.NDArray[np.uint64]:
    """8 bytes of the hash of each distinct content, uint64 ``[contents]``, ascending."""
    found = (readable(training, [position])[0] for position in range(len(training)))
    heads = b"".join(content_hash(content)[:8] for content in found)
    return np.unique(np.frombuffer(heads, "<u8").astype(np.uint64))


def _parts(config: EncoderConfig) -> list[EncoderConfig]:
    """A configuration, then those of the encoders that it is made of."""
    return [config, *(config.parts if isinstance(config, JoinedConfig) else ())]


def _key(config: EncoderConfig) -> str:
    """The configuration and its parts, with the checksums of the files that they name."""
    return json.dumps([_with_checksums(part) for part in _parts(config)], sort_keys=True)


def _with_checksums(config: EncoderConfig) -> dict[str, Any]:
    excluded = {"parts"} if isinstance(config, JoinedConfig) else None
    values: dict[str, Any] = config.model_dump(mode="json", exclude=excluded)
    for key in ("file", "weights", "corpus"):
        path = getattr(config, key, None)
        if isinstance(path, Path):
            values[key] = _checksum(path)
    model = values.get("model")
    if model is not None and not model.startswith(PRESET):
        values["model"] = _checksums(model)
    return values


def _checksum(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError:
        return "unreadable"  # The build reports the reason.


def _checksums(model: str) -> dict[str, str]:
    """Checksum of each file of a model's folder, by its name in the folder."""
    try:
        folder = resolve(model)
    except NotFoundError:
        return {}  # As above.
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _checksum(path) for path in files}
