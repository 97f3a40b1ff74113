"""The network of a BERT as a keras-hub backbone, with weights by name.

Weights have the names and shapes of Hugging Face's ``BertModel``, so that stored encoders do not
depend on keras-hub's internals.
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
    """Sizes and tokenization of a BERT.

    Attributes:
        vocabulary: Number of tokens.
        layers: Number of transformer layers.
        heads: Number of attention heads; it divides ``width``.
        width: Length of the vectors.
        inner: Width of the feed-forward layers.
        positions: Maximum number of tokens of a text.
        segments: Number of segments; only the first is used.
        activation: ``gelu`` is exact, ``gelu_tanh`` its approximation (Hendrycks, Gimpel 2016).
        norm_epsilon: Epsilon of the layer normalisation.
        lower_case: Whether text is lower-cased.
        strip_accents: Whether accents are removed.
        split_chinese: Whether each Chinese character is a word.
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
"""Weights by Hugging Face's names, float32; other entries are ignored."""


@dataclass(frozen=True)
class Weight:
    """One array of the network.

    Attributes:
        name: Name in a Hugging Face folder, without the prefix ``bert.``.
        path: Path in the keras-hub backbone.
        shape: Shape in a Hugging Face folder.
        transposed: Whether keras-hub stores the transpose.
    """

    name: str
    path: str
    shape: tuple[int, ...]
    transposed: bool = False


def weights_of(architecture: Architecture) -> Iterator[Weight]:
    """The arrays of the network."""
    d = architecture.width
    tables = {
        "word": ("token", architecture.vocabulary),
        "position": ("position", architecture.positions),
        "token_type": ("segment", architecture.segments),
    }
    for name, (path, rows) in tables.items():
        hugging_face = f"embeddings.{name}_embeddings.weight"
        yield Weight(hugging_face, f"{path}_embedding/embeddings", (rows, d))
    yield from _norm("embeddings.LayerNorm", "embeddings_layer_norm", d)
    for n in range(architecture.layers):
        name, path = f"encoder.layer.{n}", f"transformer_layer_{n}"
        attention = f"{path}/self_attention_layer"
        for part in ("query", "key", "value"):
            yield from _dense(f"{name}.attention.self.{part}", f"{attention}/{part}", d, d)
        output = f"{name}.attention.output"
        yield from _dense(f"{output}.dense", f"{attention}/attention_output", d, d)
        yield from _norm(f"{output}.LayerNorm", f"{path}/self_attention_layer_norm", d)
        inner = f"{path}/feedforward_intermediate_dense"
        yield from _dense(f"{name}.intermediate.dense", inner, architecture.inner, d)
        outer = f"{path}/feedforward_output_dense"
        yield from _dense(f"{name}.output.dense", outer, d, architecture.inner)
        yield from _norm(f"{name}.output.LayerNorm", f"{path}/feedforward_layer_norm", d)


def _dense(name: str, path: str, outputs: int, inputs: int) -> Iterator[Weight]:
    yield Weight(f"{name}.weight", f"{path}/kernel", (outputs, inputs), transposed=True)
    yield Weight(f"{name}.bias", f"{path}/bias", (outputs,))


def _norm(name: str, path: str, d: int) -> Iterator[Weight]:
    yield Weight(f"{name}.weight", f"{path}/gamma", (d,))
    yield Weight(f"{name}.bias", f"{path}/beta", (d,))


def checked_state(architecture: Architecture, state: State) -> dict[str, Vectors]:
    """The weights of ``architecture`` among ``state``.

    Raises:
        ValueError: One is missing, not finite or of another shape; the message names it.
    """
    found = {}
    for weight in weights_of(architecture):
        value = state.get(weight.name)
        if value is None:
            raise ValueError(f"has no '{weight.name}'")
        if value.shape != weight.shape:
            raise ValueError(
                f"has '{weight.name}' of shape {list(value.shape)}, expected {list(weight.shape)}"
            )
        if not np.isfinite(value).all():
            raise ValueError(f"has a '{weight.name}' that is not finite")
        found[weight.name] = value
    return found


def keras_hub() -> Any:
    """The module keras_hub, on TensorFlow."""
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


def build_backbone(architecture: Architecture, state: State | None) -> Any:
    """A ``keras_hub.models.BertBackbone``, with the weights of ``state`` if given.

    keras-hub has one activation and one epsilon; they are replaced by those of ``architecture``,
    to get the vectors that the model was published with.
    """
    backbone = keras_hub().models.BertBackbone(
        vocabulary_size=architecture.vocabulary,
        num_layers=architecture.layers,
        num_heads=architecture.heads,
        hidden_dim=architecture.width,
        intermediate_dim=architecture.inner,
        max_sequence_length=architecture.positions,
        num_segments=architecture.segments,
        dropout=0.0,
        dtype="float32",
    )
    backbone.embeddings_layer_norm.epsilon = architecture.norm_epsilon
    for layer in backbone.transformer_layers:
        layer._feedforward_intermediate_dense.activation = _ACTIVATIONS[architecture.activation]
        layer._self_attention_layer_norm.epsilon = architecture.norm_epsilon
        layer._feedforward_layer_norm.epsilon = architecture.norm_epsilon
    if state is not None:
        variables = {variable.path: variable for variable in backbone.weights}
        values = checked_state(architecture, state)
        for weight in weights_of(architecture):
            value, variable = values[weight.name], variables[weight.path]
            variable.assign((value.T if weight.transposed else value).reshape(variable.shape))
    return backbone


def state_of(backbone: Any, architecture: Architecture) -> dict[str, Vectors]:
    """The weights of a backbone by Hugging Face's names."""
    variables = {variable.path: variable for variable in backbone.weights}
    state = {}
    for weight in weights_of(architecture):
        value = np.asarray(variables[weight.path], np.float32)
        value = value.reshape(weight.shape[::-1] if weight.transposed else weight.shape)
        state[weight.name] = np.ascontiguousarray(value.T if weight.transposed else value)
    return state


def hidden_states(backbone: Any, tokens: Any, mask: Any) -> Any:
    """The last layer's vectors, float32 ``[b, l, d]``, of int32 ``tokens`` ``[b, l]``; ``mask`` is
    0 for padding."""
    inputs = {"token_ids": tokens, "segment_ids": tf.zeros_like(tokens), "padding_mask": mask}
    return backbone(inputs, training=False)["sequence_output"]


_ACTIVATIONS: dict[str, Any] = {
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: tf.nn.gelu(x, approximate=True),
    "relu": tf.nn.relu,
}
