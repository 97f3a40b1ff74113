"""The encoders by name: how one is built, loaded, or taken up where it was left.

A new encoder is a section in ``configs``, a module with ``build`` and a class with ``restore``,
a line here, and a subclass of the contract in ``tests/contracts``.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from recsys.encoders import saved
from recsys.encoders.base import Content, Encoder
from recsys.encoders.configs import EncoderConfig
from recsys.errors import EncoderError
from recsys.progress import Progress, silent

_BUILDERS = {
    "word-vectors": "recsys.encoders.words.word_vectors",
    "word2vec": "recsys.encoders.words.word2vec",
    "bag-of-words": "recsys.encoders.words.bag_of_words",
    "bert": "recsys.encoders.bert.encoder",
    "lsa": "recsys.encoders.words.lsa",
    "joined": "recsys.encoders.words.joined",
    "elmo": "recsys.encoders.elmo.encoder",
    "keras-application": "recsys.encoders.pictures.keras_application",
    "tflite": "recsys.encoders.pictures.tflite",
    "auto-encoder": "recsys.encoders.pictures.auto_encoder",
}
"""Modules, imported when asked for: some of them load TensorFlow."""

_CLASSES = {
    "word-vectors": ("recsys.encoders.words.pooled_words", "PooledWords"),
    "word2vec": ("recsys.encoders.words.pooled_words", "PooledWords"),
    "bag-of-words": ("recsys.encoders.words.bag_of_words", "BagOfWords"),
    "bert": ("recsys.encoders.bert.encoder", "Bert"),
    "lsa": ("recsys.encoders.words.pooled_words", "PooledWords"),
    "joined": ("recsys.encoders.words.joined", "Joined"),
    "elmo": ("recsys.encoders.elmo.encoder", "Elmo"),
    "keras-application": ("recsys.encoders.pictures.keras_application", "KerasApplication"),
    "tflite": ("recsys.encoders.pictures.tflite", "TFLite"),
    "auto-encoder": ("recsys.encoders.pictures.auto_encoder", "AutoEncoder"),
}

NAMES = tuple(_BUILDERS)


def build_encoder(
    config: EncoderConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> Encoder:
    """Build the encoder that ``config`` asks for.

    Args:
        config: Any of the encoder sections.
        training: The contents of the items, for encoders that are trained or weigh words.
        checkpoints: A folder that this encoder's training may keep its state in, and leave
            pictures of what it learned (see ``exhibits``).
        progress: Told how far it is.

    Raises:
        EncoderError: A file is missing or damaged, or the training contents do not do.

    Example:
        >>> from recsys.encoders import Word2VecConfig
        >>> config = Word2VecConfig(dimension=4, min_count=1, epochs=1)
        >>> encoder = build_encoder(config, ["a red lamp", "a red rug"])
        >>> encoder.encode(["red rug", "?"]).mask.tolist()
        [True, False]
    """
    module: Any = importlib.import_module(_BUILDERS[config.name])
    encoder: Encoder = module.build(config, training, checkpoints=checkpoints, progress=progress)
    return encoder


def load_encoder(folder: Path) -> Encoder:
    """Load what ``Encoder.save`` wrote; its vectors are the same.

    Raises:
        EncoderError: A file is missing, damaged, or of a version that this recsys does not read.
    """
    return restored(saved.read(folder), source=str(folder))


def restored(parts: saved.Saved, *, source: str) -> Encoder:
    """The encoder whose parts were read from ``source``, as messages call it.

    Raises:
        EncoderError: The parts contradict each other, or are of an unknown encoder.
    """
    if parts.name not in _CLASSES:
        raise EncoderError(
            f"{source} holds a '{parts.name}' encoder; known ones: {', '.join(NAMES)}"
        )
    module, kind = _CLASSES[parts.name]
    try:
        config: EncoderConfig = TypeAdapter(EncoderConfig).validate_python(parts.config)
        encoder: Encoder = getattr(importlib.import_module(module), kind).restore(parts, config)
    except (ValidationError, KeyError, ValueError) as error:
        raise EncoderError(
            f"{source} contradicts itself: {error}; build the encoder again"
        ) from error
    if encoder.fingerprint != parts.fingerprint:
        raise EncoderError(
            f"{source} says that its fingerprint is {parts.fingerprint}, its files give "
            f"{encoder.fingerprint}; build the encoder again"
        )
    return encoder
