"""The encoder "keras-application": the penultimate layer of a network of Keras.

Only the weights are saved; the network is built again from its name.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders.contents import Contents
from recsys.encoders.pictures.configs import KerasApplicationConfig
from recsys.encoders.pictures.encoder import PictureEncoder
from recsys.encoders.storage import EncoderParts, in_order, numbered
from recsys.errors import EncoderError, suggestion
from recsys.ids import Vectors
from recsys.pictures.decoding import Pixels
from recsys.progress import Progress

Classifier = Literal["without", "with"]
_CLASSIFIER: tuple[Classifier, ...] = ("without", "with")


@dataclass(frozen=True, eq=False)
class KerasApplication(PictureEncoder):
    """A picture encoder over a Keras application.

    Attributes:
        features: Keras network up to the layer, from preprocessed pixels to float32 ``[n, d]``.
    """

    config: KerasApplicationConfig
    features: Any

    @classmethod
    def build(
        cls,
        config: KerasApplicationConfig,
        training: Contents,
        checkpoints: Path | None,
        progress: Progress,
    ) -> KerasApplication:
        """Build the network and load its weights; ``training`` is not used."""
        progress("load the network", 0, 1, config.application)
        network = _network(config, weights="imagenet" if config.weights == "imagenet" else None)
        features = _features(network, config)
        if config.weights == "none":
            features.set_weights(_random_weights(features))
        elif isinstance(config.weights, Path):
            _load_weights(network, config)  # The features share the network's weights.
        progress("load the network", 1, 1, f"{features.count_params():,} parameters")
        return cls(config, features)

    @classmethod
    def restore(cls, config: KerasApplicationConfig, parts: EncoderParts) -> KerasApplication:
        """The encoder of saved parts."""
        features = _features(_network(config, weights=None), config)
        try:
            features.set_weights(in_order(parts))
        except ValueError as error:
            raise EncoderError(
                f"the saved weights do not fit '{config.application}' of tf-keras "
                f"{tf_keras.__version__}: {_first_line(error)}; build the encoder again"
            ) from error
        return cls(config, features)

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self.features.output_shape[-1])

    @property
    def settings(self) -> Mapping[str, Any]:
        """The configuration without its files and its batch size."""
        return self.config.model_dump(mode="json", exclude={"weights", "batch_size"})

    def parts(self) -> EncoderParts:
        """Weights of the network."""
        return numbered(self.features.get_weights())

    def vectors_of(self, pixels: Pixels) -> Vectors:
        """Features, averaged over the plane."""
        preprocess = _application(self.config)[1]
        inputs = preprocess(pixels.astype(np.float32))  # (b, size, size, 3)
        return np.asarray(self._call(tf.constant(inputs)), np.float32)  # (b, d)

    @cached_property
    def _call(self) -> Any:
        picture = tf.TensorSpec((None, self.size, self.size, 3), tf.float32)
        return compiled(lambda x: self.features(x, training=False), input_signature=[picture])


def _application(config: KerasApplicationConfig) -> tuple[Any, Any]:
    """The function that builds the application, and its preprocessing of pixels."""
    known = {
        name: function
        for name, function in inspect.getmembers(tf_keras.applications, inspect.isfunction)
        if hasattr(sys.modules[function.__module__], "preprocess_input")
    }
    if config.application not in known:
        raise EncoderError(
            f"tf.keras.applications has no '{config.application}'; it has: {', '.join(known)}"
            f"{suggestion(config.application, known)}",
            field="application",
        )
    function = known[config.application]
    return function, sys.modules[function.__module__].preprocess_input


def _network(config: KerasApplicationConfig, *, weights: str | None) -> Any:
    """The application that has the layer, with its classifier only if the layer is in it."""
    layers: list[str] = []
    for classifier in _CLASSIFIER:
        network = _built(config, weights=None, classifier=classifier)
        layers = [layer.name for layer in network.layers]
        if config.layer is None or config.layer in layers:
            if weights is None:
                return network
            return _built(config, weights=weights, classifier=classifier)
    raise EncoderError(
        f"'{config.application}' has no layer '{config.layer}'; the last ones are: "
        f"{', '.join(layers[-10:])}",
        field="layer",
    )


def _built(config: KerasApplicationConfig, *, weights: str | None, classifier: Classifier) -> Any:
    function = _application(config)[0]
    options: dict[str, Any] = {"include_top": classifier == "with", "weights": weights}
    if config.alpha is not None:
        if "alpha" not in inspect.signature(function).parameters:
            raise EncoderError(
                f"'{config.application}' has no width multiplier: remove 'alpha'", field="alpha"
            )
        options["alpha"] = config.alpha
    try:
        return function(input_shape=(config.size, config.size, 3), **options)
    except Exception as error:  # Keras raises a bare Exception where a download fails.
        raise EncoderError(
            f"cannot build '{config.application}' {classifier} its classifier, with weights = "
            f"{config.weights!s} and size = {config.size}: {_first_line(error)}; correct 'size', "
            "or, if the weights cannot be downloaded, give a file of weights"
        ) from error


def _load_weights(network: Any, config: KerasApplicationConfig) -> None:
    path = Path(config.weights)
    if not path.is_file():
        raise EncoderError(
            f"expected a file of weights; {path} does not exist: check the encoder's 'weights'",
            field="weights",
        )
    classifier = "without" if network.output.shape.rank == 4 else "with"
    try:
        network.load_weights(str(path))
    except (OSError, ValueError, KeyError, IndexError, tf.errors.OpError) as error:
        raise EncoderError(
            f"{path} does not hold weights of '{config.application}' (alpha {config.alpha}, size "
            f"{config.size}, {classifier} the classifier): {_first_line(error)}; get the file "
            "again, or correct 'application', 'alpha' and 'layer'",
            field="weights",
        ) from error


def _random_weights(network: Any) -> list[Any]:
    """Weights of He et al. 2015 from a fixed seed; Keras' own for biases and norms."""
    rng = np.random.default_rng(0)
    weights = []
    for variable in network.weights:
        value = variable.numpy()
        if value.ndim > 1:
            inputs = value.shape[:2] if "depthwise" in variable.name else value.shape[:-1]
            value = rng.standard_normal(value.shape, np.float32)
            value *= np.float32(math.sqrt(2 / math.prod(inputs)))
        weights.append(value.astype(np.float32, copy=False))
    return weights


def _features(network: Any, config: KerasApplicationConfig) -> Any:
    output = network.output if config.layer is None else network.get_layer(config.layer).output
    if len(output.shape) == 4:  # (n, height, width, d) -> (n, d)
        output = tf_keras.layers.GlobalAveragePooling2D(name="recsys_mean")(output)
    elif len(output.shape) > 2:
        output = tf_keras.layers.Flatten(name="recsys_flat")(output)
    return tf_keras.Model(network.input, output)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
