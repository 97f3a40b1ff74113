"""Finds and reads a pretrained BERT: a folder of Hugging Face or of keras-hub, or a preset.

Nothing in a folder is run, and its numbers are believed only within their ranges and where the
weights have the shapes that they ask for.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recsys.encoders.bert.config import PRESET, BertConfig
from recsys.encoders.bert.network import (
    Architecture,
    State,
    build_backbone,
    checked,
    keras_hub,
    state_of,
    weights_of,
)
from recsys.encoders.bert.safetensors_files import read_safetensors
from recsys.encoders.bert.tokens import read_vocabulary
from recsys.errors import EncoderError, NotFoundError
from recsys.formats import resolve

_WEIGHTS = "model.safetensors"
_KERAS_WEIGHTS = "model.weights.h5"
_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
_NUMBERS = {  # Ours, and their names in a Hugging Face config.json.
    "vocabulary": "vocab_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "width": "hidden_size",
    "inner": "intermediate_size",
    "positions": "max_position_embeddings",
}
_KERAS_NUMBERS = {
    "vocabulary": "vocabulary_size",
    "layers": "num_layers",
    "heads": "num_heads",
    "width": "hidden_dim",
    "inner": "intermediate_dim",
    "positions": "max_sequence_length",
    "segments": "num_segments",
}


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A BERT as it was published, up to the layer asked for.

    Attributes:
        numbers: Of its network.
        vocabulary: Its ``vocab.txt``.
        state: Its weights.
    """

    numbers: Architecture
    vocabulary: bytes
    state: State


def read_pretrained(config: BertConfig) -> Pretrained:
    """The model that ``config`` names.

    Raises:
        EncoderError: It is not there, no BERT, damaged, or has fewer layers than ``layer``.
    """
    if config.model.startswith(PRESET):
        return _upto(config, *_preset(config.model.removeprefix(PRESET)))
    try:
        folder = resolve(config.model)
    except NotFoundError as error:
        raise EncoderError(
            f"no model at '{config.model}': {error.message}", field="model"
        ) from error
    if not folder.is_dir():
        raise EncoderError(
            f"expected a folder with a BERT; {folder} is not there: check the encoder's 'model' "
            f"(a preset of keras-hub is written {PRESET}NAME)",
            field="model",
        )
    values = _json(folder / "config.json")
    read = _keras_folder if "registered_name" in values else _hugging_face_folder
    return _upto(config, *read(folder, values))


def _upto(config: BertConfig, numbers: Architecture, vocabulary: bytes, state: State) -> Pretrained:
    """The model without the layers after the one that is pooled."""
    layer = config.layer or numbers.layers
    if layer > numbers.layers:
        raise EncoderError(
            f"layer {layer} was asked for; {config.model} has {numbers.layers}: lower 'layer'",
            field="layer",
        )
    numbers = numbers.model_copy(update={"layers": layer})
    try:
        tokens = read_vocabulary(vocabulary)
        if len(tokens) > numbers.vocabulary:
            raise ValueError(f"has {len(tokens):,} tokens, the model {numbers.vocabulary:,}")
    except ValueError as error:
        raise EncoderError(
            f"the vocabulary of {config.model} {error}; get the model again", field="model"
        ) from error
    try:
        return Pretrained(numbers, vocabulary, checked(numbers, state))
    except ValueError as error:
        raise EncoderError(
            f"{config.model} {error}: it is damaged, or no BERT; get the model again", field="model"
        ) from error


def _hugging_face_folder(
    folder: Path, values: Mapping[str, Any]
) -> tuple[Architecture, bytes, State]:
    path = folder / "config.json"
    expected = {"model_type": "bert", "position_embedding_type": "absolute", "is_decoder": False}
    for key, wanted in expected.items():
        if (came := values.get(key, None if key == "model_type" else wanted)) != wanted:
            raise EncoderError(
                f"expected a BERT, {key} {wanted!r}; {path} says {came!r}: use a BERT's folder",
                field="model",
            )
    activation = str(values.get("hidden_act", "gelu"))
    if activation not in _ACTIVATIONS:
        raise EncoderError(
            f"{path} asks for the activation {activation!r}; known ones: "
            f"{', '.join(_ACTIVATIONS)}: use another model",
            field="model",
        )
    tokens = _json(folder / "tokenizer_config.json", missing={})
    lower = tokens.get("do_lower_case", True)
    strip = tokens.get("strip_accents")
    numbers = _architecture(
        path,
        {ours: values.get(theirs) for ours, theirs in _NUMBERS.items()}
        | {
            "segments": values.get("type_vocab_size", 2),
            "activation": _ACTIVATIONS[activation],
            "norm_epsilon": values.get("layer_norm_eps", 1e-12),
            "lower_case": lower,
            "strip_accents": lower if strip is None else strip,
            "split_chinese": tokens.get("tokenize_chinese_chars", True),
        },
    )
    if not (folder / _WEIGHTS).is_file():
        raise EncoderError(
            f"expected the weights in {folder / _WEIGHTS}; it is not there: get the model in that "
            "form (weights that are pickles, pytorch_model.bin, are not read)",
            field="model",
        )
    weights = {_plain(name): value for name, value in read_safetensors(folder / _WEIGHTS).items()}
    return numbers, _bytes(folder / "vocab.txt"), weights


def _plain(name: str) -> str:
    """A weight's name as in ``BertModel``: models with a head call it ``bert.``, and older ones
    call the norms' numbers gamma and beta."""
    name = name.removeprefix("bert.")
    name = re.sub(r"\.gamma$", ".weight", name)
    return re.sub(r"\.beta$", ".bias", name)


def _keras_folder(folder: Path, values: Mapping[str, Any]) -> tuple[Architecture, bytes, State]:
    path = folder / "config.json"
    if values["registered_name"] != "keras_hub>BertBackbone":
        raise EncoderError(
            f"expected keras_hub>BertBackbone; {path} says {values['registered_name']!r}: "
            "use a BERT's folder",
            field="model",
        )
    given = values.get("config")
    given = given if isinstance(given, dict) else {}
    tokens = _json(folder / "tokenizer.json").get("config")
    lower = tokens.get("lowercase", False) if isinstance(tokens, dict) else False
    numbers = _architecture(
        path,
        {ours: given.get(theirs) for ours, theirs in _KERAS_NUMBERS.items()} | _of_keras(lower),
    )
    count = sum(math.prod(weight.shape) for weight in weights_of(numbers))
    try:
        if (size := (folder / _KERAS_WEIGHTS).stat().st_size) < 2 * count:  # Of half precision.
            raise ValueError(f"{size:,} bytes cannot hold {count:,} numbers")
        backbone = build_backbone(numbers, None)
        backbone.load_weights(str(folder / _KERAS_WEIGHTS))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise EncoderError(
            f"{folder / _KERAS_WEIGHTS} does not hold the weights of this model: "
            f"{str(error).strip().splitlines()[0]}; get the model again",
            field="model",
        ) from error
    vocabulary = _bytes(folder / "assets" / "tokenizer" / "vocabulary.txt")
    return numbers, vocabulary, state_of(backbone, numbers)


def _of_keras(lower: object) -> dict[str, object]:
    """What keras-hub's own BERT and tokenizer do always."""
    return {
        "activation": "gelu_tanh",
        "norm_epsilon": 1e-12,
        "lower_case": lower,
        "strip_accents": lower,
        "split_chinese": True,
    }


def _preset(name: str) -> tuple[Architecture, bytes, State]:
    models = keras_hub().models
    known = sorted(models.BertBackbone.presets)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known
        raise EncoderError(
            f"keras-hub has no BERT preset '{name}'; near ones: {', '.join(near)}", field="model"
        )
    try:
        backbone = models.BertBackbone.from_preset(name)
        tokenizer = models.BertTokenizer.from_preset(name)
    except Exception as error:  # A download fails in many ways, each library with its own.
        raise EncoderError(
            f"keras-hub could not get the preset '{name}': {error}; without network name a folder",
            field="model",
        ) from error
    numbers = _architecture(
        name,
        {ours: getattr(backbone, theirs) for ours, theirs in _KERAS_NUMBERS.items()}
        | _of_keras(bool(tokenizer.lowercase)),
    )
    vocabulary = "\n".join(tokenizer.get_vocabulary()).encode()
    return numbers, vocabulary, state_of(backbone, numbers)


def _architecture(path: Path | str, values: Mapping[str, Any]) -> Architecture:
    try:
        return Architecture.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "heads"
        raise EncoderError(
            f"{path} cannot be a BERT's: '{_NUMBERS.get(key, key)}': {first['msg']} "
            f"(got {first['input']!r:.80}); get the model again",
            field="model",
        ) from error


def _json(path: Path, *, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    if missing is not None and not path.is_file():
        return missing
    try:
        values = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise EncoderError(f"{path} is no JSON: {error}; get the model again", field="model") from (
            error
        )
    if not isinstance(values, dict):
        raise EncoderError(
            f"{path} holds no settings but {values!r:.40}; get the model again", field="model"
        )
    return values


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EncoderError(
            f"expected {path.name} in the model's folder; {path} cannot be read "
            f"({error.strerror}): check the encoder's 'model', or get the model again",
            field="model",
        ) from error
