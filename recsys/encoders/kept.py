"""An encoder that is built once and kept while the catalogue changes a little.

Training on the items anew would give every item another vector; so that one changed title costs
one encoding, the trained encoder stays until its config, its files or much of the catalogue
changed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.encoders.base import Content, Encoder
from recsys.encoders.bert.config import PRESET
from recsys.encoders.configs import EncoderConfig, JoinedConfig
from recsys.encoders.contents import content_hash, readable
from recsys.encoders.exhibits import EXHIBITS
from recsys.encoders.registry import build_encoder, load_encoder
from recsys.errors import EncoderError, NotFoundError
from recsys.files import load_arrays, save_arrays, sha256_file
from recsys.formats import resolve
from recsys.progress import Progress, silent

_TRAINED = ("word-vectors", "word2vec", "bag-of-words", "lsa", "elmo", "auto-encoder")
"""Encoders that look at the contents when they are built."""


def obtain_encoder(
    config: EncoderConfig,
    training: Sequence[Content],
    folder: Path,
    *,
    retrain_share: float = 0.1,
    progress: Progress = silent,
) -> Encoder:
    """The encoder that ``folder`` keeps, built first where it is not there or out of date.

    Out of date means: another ``config``, another file that the config names, or more than
    ``retrain_share`` of the contents of ``training`` not there when the encoder was trained. An
    interrupted training goes on from its last checkpoint; a damaged encoder is built again. What
    the build left to be shown lies in ``folder/exhibits`` (see ``exhibits``).

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
    asked = _asked(config)
    looks = any(part.name in _TRAINED for part in _parts(config))
    contents = _contents(training) if looks else np.zeros(0, np.uint64)
    kept = _kept(folder, asked, contents, retrain_share)
    if kept is not None:
        progress("keep the encoder", 1, 1, config.name)
        return kept
    encoder = build_encoder(config, training, checkpoints=folder / "checkpoints", progress=progress)
    encoder.save(folder / "encoder")
    _keep_exhibits(folder)
    built_from = {"asked": asked, "fingerprint": encoder.fingerprint, "contents": contents}
    save_arrays(folder / "built_from.npz", built_from)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return encoder


def _keep_exhibits(folder: Path) -> None:
    """Put what this build left to be shown in the place of what an earlier one did."""
    shutil.rmtree(folder / EXHIBITS, ignore_errors=True)
    if (folder / "checkpoints" / EXHIBITS).is_dir():
        os.replace(folder / "checkpoints" / EXHIBITS, folder / EXHIBITS)


def _kept(
    folder: Path, asked: str, contents: npt.NDArray[np.uint64], retrain_share: float
) -> Encoder | None:
    try:
        built_from = load_arrays(folder / "built_from.npz")
        known, fingerprint = built_from["contents"], str(built_from["fingerprint"])
        new = float(np.isin(contents, known, invert=True).mean()) if len(contents) else 0.0
        if str(built_from["asked"]) != asked or new > retrain_share:
            return None
        encoder = load_encoder(folder / "encoder")
    except (OSError, ValueError, KeyError, EncoderError):
        return None  # Not there, or damaged: built again.
    return encoder if encoder.fingerprint == fingerprint else None


def _contents(training: Sequence[Content]) -> npt.NDArray[np.uint64]:
    """8 bytes of the hash of each different content, uint64 ``[contents]``, ascending."""
    looked_at = (readable(training, [position])[0] for position in range(len(training)))
    heads = b"".join(content_hash(content)[:8] for content in looked_at)
    return np.unique(np.frombuffer(heads, "<u8").astype(np.uint64))


def _asked(config: EncoderConfig) -> str:
    """The config, and the checksums of the files that it and its parts name, in one line."""
    values = [_with_checksums(part) for part in _parts(config)]
    return json.dumps(values[0] if len(values) == 1 else values, sort_keys=True)


def _parts(config: EncoderConfig) -> list[EncoderConfig]:
    """A config, then those of the encoders that it is made of."""
    return [config, *(config.parts if isinstance(config, JoinedConfig) else ())]


def _with_checksums(config: EncoderConfig) -> dict[str, Any]:
    left_out = {"parts"} if isinstance(config, JoinedConfig) else None
    values: dict[str, Any] = config.model_dump(mode="json", exclude=left_out)
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
        return "unreadable"  # Building the encoder says what is wrong with it.


def _checksums(model: str) -> dict[str, str]:
    """Of every file of a model's folder, by its name in the folder."""
    try:
        folder = resolve(model)
    except NotFoundError:
        return {}  # As above.
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _checksum(path) for path in files}
