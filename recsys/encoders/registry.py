"""The encoders by name, to build and to load."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from recsys.encoders.configs import EncoderConfig
from recsys.encoders.contents import Contents
from recsys.encoders.encoder import Encoder
from recsys.encoders.storage import EncoderParts, StoredEncoder, read_saved
from recsys.errors import EncoderError
from recsys.progress import Progress, silent

_CLASSES = {
    "word-vectors": "words.pretrained.PretrainedWords",
    "word2vec": "words.word2vec.Word2Vec",
    "bag-of-words": "words.bag_of_words.BagOfWords",
    "bert": "bert.encoder.Bert",
    "lsa": "words.lsa.Lsa",
    "joined": "joined.Joined",
    "elmo": "elmo.encoder.Elmo",
    "keras-application": "pictures.keras_application.KerasApplication",
    "tflite": "pictures.tflite.TFLite",
    "auto-encoder": "pictures.auto_encoder.AutoEncoder",
}
"""Modules and classes, imported on demand: some of them load TensorFlow."""

NAMES = tuple(_CLASSES)


def build_encoder(
    config: EncoderConfig,
    training: Contents,
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> Encoder:
    """Build the encoder that ``config`` describes.

    Encoders that are trained or weigh words read ``training``, the contents of the items; they may
    store the state of the training and leave illustrations in the folder ``checkpoints``.

    Raises:
        EncoderError: A file is missing or damaged, or the training contents do not suffice.

    Example:
        >>> from recsys.encoders import Word2VecConfig
        >>> config = Word2VecConfig(dimension=4, min_count=1, epochs=1)
        >>> encoder = build_encoder(config, ["a red lamp", "a red rug"])
        >>> encoder.encode(["red rug", "?"]).mask.tolist()
        [True, False]
    """
    encoder: Encoder = _class(config.name).build(config, training, checkpoints, progress)
    return encoder


def load_encoder(folder: Path) -> Encoder:
    """Load what ``Encoder.save`` wrote; its vectors are the same.

    Raises:
        EncoderError: A file is missing, damaged, or of a version that this recsys does not read.
    """
    saved = read_saved(folder)
    if saved.name not in _CLASSES:
        raise EncoderError(
            f"{folder} holds a '{saved.name}' encoder; known encoders: {', '.join(NAMES)}"
        )
    try:
        config: EncoderConfig = TypeAdapter(EncoderConfig).validate_python(saved.config)
        encoder = restore_encoder(config, saved.parts)
    except (ValidationError, KeyError, ValueError) as error:
        raise EncoderError(
            f"{folder} contradicts itself: {error}; build the encoder again"
        ) from error
    if encoder.fingerprint != saved.fingerprint:
        raise EncoderError(
            f"{folder} states the fingerprint {saved.fingerprint}, its files have "
            f"{encoder.fingerprint}; build the encoder again"
        )
    return encoder


def restore_encoder(config: EncoderConfig, parts: EncoderParts) -> StoredEncoder:
    """The encoder of a configuration and the parts that were saved."""
    encoder: StoredEncoder = _class(config.name).restore(config, parts)
    return encoder


def _class(name: str) -> Any:
    module, _, kind = _CLASSES[name].rpartition(".")
    return getattr(importlib.import_module(f"recsys.encoders.{module}"), kind)
