"""The network of a BERT: its numbers, its weights by name, and both as a keras-hub backbone.

Weights have the names and shapes of Hugging Face's ``BertModel``, in a folder and in what is
saved, so that neither depends on how keras-hub arranges them inside.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from recsys._tf import tf
from recsys.config import Config
from recsys.errors import EncoderError
from recsys.ids import Vectors


class Architecture(Config):
    """What tells one BERT's network and tokens from another's; every number is held in range.

    Attributes:
        vocabulary: Rows of the table of tokens.
        layers: Transformer layers.
        heads: Of the attention; they divide ``width``.
        width: Length of the vectors.
        inner: Width inside the feed-forward part.
        positions: The most tokens that a text may have.
        segments: Rows of the table of segments; only the first is used.
        activation: ``gelu`` is the exact one, ``gelu_tanh`` its approximation by tanh (Hendrycks
            and Gimpel 2016).
        norm_epsilon: Of the layer normalisation.
        lower_case: Text is read in lower case.
        strip_accents: Accents are taken off.
        split_chinese: Every Chinese character is a word.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)

    vocabulary: int = Field(ge=5, le=2_000_000)
    layers: int = Field(ge=1, le=48)
    heads: int = Field(ge=1, le=128)
    width: int = Field(ge=1, le=8192)
    inner: int = Field(ge=1, le=65_536)
    positions: int = Field(ge=3, le=65_536)
    segments: int = Field(ge=1, le=64)
    activation: Literal["gelu", "gelu_tanh", "relu"]
    norm_epsilon: float = Field(gt=0, le=1e-2)
    lower_case: bool
    strip_accents: bool
    split_chinese: bool

    @model_validator(mode="after")
    def _heads_divide(self) -> Architecture:
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide the width {self.width}")
        return self


State = Mapping[str, Vectors]
"""Weights by Hugging Face's names, float32."""


@dataclass(frozen=True)
class Weight:
    """One array of the network.

    Attributes:
        name: In a Hugging Face folder, without the prefix ``bert.``.
        path: In the keras-hub backbone.
        shape: In a Hugging Face folder.
        turned: Whether keras-hub keeps it transposed.
    """

    name: str
    path: str
    shape: tuple[int, ...]
    turned: bool = False


def weights_of(numbers: Architecture) -> Iterator[Weight]:
    """Every array of the network."""
    d = numbers.width
    tables = {
        "word": ("token", numbers.vocabulary),
        "position": ("position", numbers.positions),
        "token_type": ("segment", numbers.segments),
    }
    for name, (path, rows) in tables.items():
        hugging_face = f"embeddings.{name}_embeddings.weight"
        yield Weight(hugging_face, f"{path}_embedding/embeddings", (rows, d))
    yield from _norm("embeddings.LayerNorm", "embeddings_layer_norm", d)
    for n in range(numbers.layers):
        name, path = f"encoder.layer.{n}", f"transformer_layer_{n}"
        attention = f"{path}/self_attention_layer"
        for part in ("query", "key", "value"):
            yield from _dense(f"{name}.attention.self.{part}", f"{attention}/{part}", d, d)
        output = f"{name}.attention.output"
        yield from _dense(f"{output}.dense", f"{attention}/attention_output", d, d)
        yield from _norm(f"{output}.LayerNorm", f"{path}/self_attention_layer_norm", d)
        inner = f"{path}/feedforward_intermediate_dense"
        yield from _dense(f"{name}.intermediate.dense", inner, numbers.inner, d)
        outer = f"{path}/feedforward_output_dense"
        yield from _dense(f"{name}.output.dense", outer, d, numbers.inner)
        yield from _norm(f"{name}.output.LayerNorm", f"{path}/feedforward_layer_norm", d)


def _dense(name: str, path: str, outputs: int, inputs: int) -> Iterator[Weight]:
    yield Weight(f"{name}.weight", f"{path}/kernel", (outputs, inputs), turned=True)
    yield Weight(f"{name}.bias", f"{path}/bias", (outputs,))


def _norm(name: str, path: str, d: int) -> Iterator[Weight]:
    yield Weight(f"{name}.weight", f"{path}/gamma", (d,))
    yield Weight(f"{name}.bias", f"{path}/beta", (d,))


def checked(numbers: Architecture, state: State) -> dict[str, Vectors]:
    """The weights of ``numbers`` among ``state``, each there, of its shape and finite.

    Raises:
        ValueError: One is not; the message names it.
    """
    found = {}
    for weight in weights_of(numbers):
        value = state.get(weight.name)
        if value is None:
            raise ValueError(f"holds no '{weight.name}'")
        if value.shape != weight.shape:
            raise ValueError(
                f"has '{weight.name}' of shape {list(value.shape)}, "
                f"which by its numbers is {list(weight.shape)}"
            )
        if not np.isfinite(value).all():
            raise ValueError(f"has numbers in '{weight.name}' that are not finite")
        found[weight.name] = value
    return found


def keras_hub() -> Any:
    """The library, loaded with TensorFlow below it.

    Raises:
        EncoderError: It is not installed, or Keras is loaded with something else below it.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        library = importlib.import_module("keras_hub")
        keras: Any = importlib.import_module("keras")
    except ImportError as error:
        raise EncoderError(
            f"the encoder 'bert' needs keras-hub, which cannot be loaded ({error}): "
            "pip install 'recsys[bert]'"
        ) from error
    if keras.config.backend() != "tensorflow":
        raise EncoderError(
            f"the encoder 'bert' needs Keras on TensorFlow; it is loaded on "
            f"{keras.config.backend()}: set KERAS_BACKEND=tensorflow"
        )
    return library


def build_backbone(numbers: Architecture, state: State | None) -> Any:
    """A ``keras_hub.models.BertBackbone`` with these weights; None leaves them as they start.

    keras-hub itself knows one activation and one epsilon; those of ``numbers`` take their place,
    without which the vectors are not those of the model's makers.

    Raises:
        ValueError: ``state`` does not fit ``numbers``.
        EncoderError: keras-hub is missing.
    """
    backbone = keras_hub().models.BertBackbone(
        vocabulary_size=numbers.vocabulary,
        num_layers=numbers.layers,
        num_heads=numbers.heads,
        hidden_dim=numbers.width,
        intermediate_dim=numbers.inner,
        max_sequence_length=numbers.positions,
        num_segments=numbers.segments,
        dropout=0.0,
        dtype="float32",
    )
    backbone.embeddings_layer_norm.epsilon = numbers.norm_epsilon
    for layer in backbone.transformer_layers:
        layer._feedforward_intermediate_dense.activation = _ACTIVATIONS[numbers.activation]
        layer._self_attention_layer_norm.epsilon = numbers.norm_epsilon
        layer._feedforward_layer_norm.epsilon = numbers.norm_epsilon
    if state is not None:
        variables = {variable.path: variable for variable in backbone.weights}
        values = checked(numbers, state)
        for weight in weights_of(numbers):
            value, variable = values[weight.name], variables[weight.path]
            variable.assign((value.T if weight.turned else value).reshape(variable.shape))
    return backbone


def state_of(backbone: Any, numbers: Architecture) -> dict[str, Vectors]:
    """The weights of a backbone, by Hugging Face's names."""
    variables = {variable.path: variable for variable in backbone.weights}
    state = {}
    for weight in weights_of(numbers):
        value = np.asarray(variables[weight.path], np.float32)
        value = value.reshape(weight.shape[::-1] if weight.turned else weight.shape)
        state[weight.name] = np.ascontiguousarray(value.T if weight.turned else value)
    return state


def hidden(backbone: Any, tokens: Any, real: Any) -> Any:
    """The last layer's vectors, float32 ``[b, l, d]``, of int32 ``tokens``; ``real`` is 1, padding
    0, both ``[b, l]``."""
    inputs = {"token_ids": tokens, "segment_ids": tf.zeros_like(tokens), "padding_mask": real}
    return backbone(inputs, training=False)["sequence_output"]


_ACTIVATIONS: dict[str, Any] = {
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: tf.nn.gelu(x, approximate=True),
    "relu": tf.nn.relu,
}
