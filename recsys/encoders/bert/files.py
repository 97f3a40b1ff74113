"""Reading of a pretrained BERT: a folder of Hugging Face or of keras-hub, or a preset.

No code of a folder runs; its sizes are checked against their ranges and the shapes of its weights.
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
    checked_state,
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
_SIZES = {  # Names here and in a Hugging Face config.json.
    "vocabulary": "vocab_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "width": "hidden_size",
    "inner": "intermediate_size",
    "positions": "max_position_embeddings",
}
_KERAS_SIZES = {
    "vocabulary": "vocabulary_size",
    "layers": "num_layers",
    "heads": "num_heads",
    "width": "hidden_dim",
    "inner": "intermediate_dim",
    "positions": "max_sequence_length",
    "segments": "num_segments",
}


@dataclass(frozen=True, eq=False)
class PretrainedBert:
    """A published BERT, up to the configured layer."""

    architecture: Architecture
    vocabulary: bytes
    state: State


def read_pretrained(config: BertConfig) -> PretrainedBert:
    """The model that ``config`` names."""
    if config.model.startswith(PRESET):
        return _truncated(config, _preset(config.model.removeprefix(PRESET)))
    try:
        folder = resolve(config.model)
    except NotFoundError as error:
        raise _error(f"no model at '{config.model}': {error.message}") from error
    if not folder.is_dir():
        raise _error(
            f"expected a folder with a BERT; {folder} does not exist: check the encoder's 'model' "
            f"(a preset of keras-hub is written {PRESET}NAME)"
        )
    values = _json(folder / "config.json")
    read = _keras_folder if "registered_name" in values else _hugging_face_folder
    return _truncated(config, read(folder, values))


def _truncated(config: BertConfig, model: PretrainedBert) -> PretrainedBert:
    """The model without the layers after the pooled one."""
    architecture = model.architecture
    layer = config.layer or architecture.layers
    if layer > architecture.layers:
        raise EncoderError(
            f"expected at least {layer} layers; {config.model} has {architecture.layers}: lower "
            "'layer'",
            field="layer",
        )
    architecture = architecture.model_copy(update={"layers": layer})
    try:
        tokens = read_vocabulary(model.vocabulary)
        if len(tokens) > architecture.vocabulary:
            raise ValueError(f"has {len(tokens):,} tokens, the model {architecture.vocabulary:,}")
    except ValueError as error:
        raise _error(f"the vocabulary of {config.model} {error}; get the model again") from error
    try:
        state = checked_state(architecture, model.state)
    except ValueError as error:
        raise _error(
            f"{config.model} {error}: it is damaged or not a BERT; get the model again"
        ) from error
    return PretrainedBert(architecture, model.vocabulary, state)


def _hugging_face_folder(folder: Path, values: Mapping[str, Any]) -> PretrainedBert:
    path = folder / "config.json"
    expected = {"model_type": "bert", "position_embedding_type": "absolute", "is_decoder": False}
    for key, wanted in expected.items():
        if (came := values.get(key, None if key == "model_type" else wanted)) != wanted:
            raise _error(
                f"expected a BERT, {key} {wanted!r}; {path} says {came!r}: use a BERT's folder"
            )
    activation = str(values.get("hidden_act", "gelu"))
    if activation not in _ACTIVATIONS:
        raise _error(
            f"{path} has the activation {activation!r}; supported: "
            f"{', '.join(_ACTIVATIONS)}: use another model"
        )
    tokens = _json(folder / "tokenizer_config.json", missing={})
    lower = tokens.get("do_lower_case", True)
    strip = tokens.get("strip_accents")
    architecture = _architecture(
        path,
        {key: values.get(theirs) for key, theirs in _SIZES.items()}
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
        raise _error(
            f"expected the weights in {folder / _WEIGHTS}, which does not exist: get the model in "
            "that format (pickled weights, pytorch_model.bin, are not read)"
        )
    weights = {_plain(name): value for name, value in read_safetensors(folder / _WEIGHTS).items()}
    return PretrainedBert(architecture, _bytes(folder / "vocab.txt"), weights)


def _plain(name: str) -> str:
    """A weight's name as in ``BertModel``; models with a head prefix it with ``bert.``, and older
    ones name the norms' weights gamma and beta."""
    name = name.removeprefix("bert.")
    name = re.sub(r"\.gamma$", ".weight", name)
    return re.sub(r"\.beta$", ".bias", name)


def _keras_folder(folder: Path, values: Mapping[str, Any]) -> PretrainedBert:
    path = folder / "config.json"
    if values["registered_name"] != "keras_hub>BertBackbone":
        raise _error(
            f"expected keras_hub>BertBackbone; {path} says {values['registered_name']!r}: "
            "use a BERT's folder"
        )
    given = values.get("config")
    given = given if isinstance(given, dict) else {}
    tokens = _json(folder / "tokenizer.json").get("config")
    lower = tokens.get("lowercase", False) if isinstance(tokens, dict) else False
    architecture = _architecture(
        path,
        {key: given.get(theirs) for key, theirs in _KERAS_SIZES.items()} | _of_keras(lower),
    )
    count = sum(math.prod(weight.shape) for weight in weights_of(architecture))
    try:
        if (size := (folder / _KERAS_WEIGHTS).stat().st_size) < 2 * count:  # Of half precision.
            raise ValueError(f"{size:,} bytes cannot hold {count:,} numbers")
        backbone = build_backbone(architecture, None)
        backbone.load_weights(str(folder / _KERAS_WEIGHTS))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise _error(
            f"{folder / _KERAS_WEIGHTS} does not hold the weights of this model: "
            f"{str(error).strip().splitlines()[0]}; get the model again"
        ) from error
    vocabulary = _bytes(folder / "assets" / "tokenizer" / "vocabulary.txt")
    return PretrainedBert(architecture, vocabulary, state_of(backbone, architecture))


def _of_keras(lower: object) -> dict[str, object]:
    """The fixed settings of keras-hub's BERT and tokenizer."""
    return {
        "activation": "gelu_tanh",
        "norm_epsilon": 1e-12,
        "lower_case": lower,
        "strip_accents": lower,
        "split_chinese": True,
    }


def _preset(name: str) -> PretrainedBert:
    models = keras_hub().models
    known = sorted(models.BertBackbone.presets)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known
        raise _error(f"keras-hub has no BERT preset '{name}'; similar ones: {', '.join(near)}")
    try:
        backbone = models.BertBackbone.from_preset(name)
        tokenizer = models.BertTokenizer.from_preset(name)
    except Exception as error:  # A download raises exceptions of many libraries.
        raise _error(
            f"keras-hub could not get the preset '{name}': {error}; without a network use a folder"
        ) from error
    architecture = _architecture(
        name,
        {key: getattr(backbone, theirs) for key, theirs in _KERAS_SIZES.items()}
        | _of_keras(bool(tokenizer.lowercase)),
    )
    vocabulary = "\n".join(tokenizer.get_vocabulary()).encode()
    return PretrainedBert(architecture, vocabulary, state_of(backbone, architecture))


def _architecture(path: Path | str, values: Mapping[str, Any]) -> Architecture:
    try:
        return Architecture.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "heads"
        raise _error(
            f"{path} does not describe a BERT: '{_SIZES.get(key, key)}': {first['msg']} "
            f"(got {first['input']!r:.80}); get the model again"
        ) from error


def _json(path: Path, *, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    if missing is not None and not path.is_file():
        return missing
    try:
        values = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise _error(f"{path} is not JSON: {error}; get the model again") from error
    if not isinstance(values, dict):
        raise _error(
            f"{path} must hold a JSON object; it holds {values!r:.40}; get the model again"
        )
    return values


def _error(message: str) -> EncoderError:
    return EncoderError(message, field="model")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _error(
            f"expected {path.name} in the model's folder; {path} cannot be read "
            f"({error.strerror}): check the encoder's 'model', or get the model again"
        ) from error
