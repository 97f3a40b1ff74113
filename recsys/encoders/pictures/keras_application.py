"""The encoder "keras-application": the penultimate layer of a network that Keras ships.

Only the weights are kept; the network itself is built again from its name.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders import saved
from recsys.encoders.base import Content, Encoded, Kind
from recsys.encoders.configs import KerasApplicationConfig
from recsys.encoders.pictures.decoding import Pixels, decode_all
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.progress import Progress, silent

Classifier = Literal["without", "with"]
_CLASSIFIER: tuple[Classifier, ...] = ("without", "with")


def build(
    config: KerasApplicationConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> KerasApplication:
    """Build the network and load its weights; ``training`` is not used.

    Raises:
        EncoderError: No such application or layer, or a file of weights that does not fit it.
    """
    progress("load the network", 0, 1, config.application)
    network = _network(config, weights="imagenet" if config.weights == "imagenet" else None)
    features = _features(network, config)
    if config.weights == "none":
        features.set_weights(_random_weights(features))
    elif isinstance(config.weights, Path):
        _load_weights(network, config)  # The features share their weights with the network.
    progress("load the network", 1, 1, f"{features.count_params():,} parameters")
    return KerasApplication(config, features)


@dataclass(frozen=True, eq=False)
class KerasApplication(saved.SavedEncoder):
    """An image encoder over a Keras application.

    Attributes:
        config: How it was built.
        features: The application up to its layer, from preprocessed pixels to float32 ``[n, d]``.
    """

    config: KerasApplicationConfig
    features: Any

    @property
    def kind(self) -> Kind:
        return "image"

    @property
    def dimension(self) -> int:
        return int(self.features.output_shape[-1])

    @cached_property
    def fingerprint(self) -> str:
        config = self.config.model_dump(mode="json", exclude={"weights", "batch_size"})
        return saved.fingerprint_of(self.name, config, self.arrays())

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """See :class:`~recsys.encoders.base.Encoder`."""
        raw = np.zeros((len(contents), self.dimension), np.float32)
        faults = []
        step = self.config.batch_size
        for start in range(0, len(contents), step):
            decoded = decode_all(contents[start : start + step], self.config.size)
            faults += [fault.moved(start) for fault in decoded.faults]
            if len(decoded.positions):
                raw[start + decoded.positions] = self._forward(decoded.pixels)
        return Encoded.of(raw, faults)

    def _forward(self, pixels: Pixels) -> Vectors:
        preprocess = _application(self.config)[1]
        inputs = preprocess(pixels.astype(np.float32))  # (b, size, size, 3)
        return np.asarray(self._call(tf.constant(inputs)), np.float32)  # (b, d)

    @cached_property
    def _call(self) -> Any:
        size = self.config.size
        picture = tf.TensorSpec((None, size, size, 3), tf.float32)
        return compiled(lambda x: self.features(x, training=False), input_signature=[picture])

    @classmethod
    def restore(cls, parts: saved.Saved, config: KerasApplicationConfig) -> KerasApplication:
        """The encoder that :meth:`save` wrote.

        Raises:
            EncoderError: The weights do not fit the application.
        """
        features = _features(_network(config, weights=None), config)
        try:
            features.set_weights([parts.arrays[key] for key in sorted(parts.arrays)])
        except ValueError as error:
            raise EncoderError(
                f"the saved weights do not fit '{config.application}' of tf-keras "
                f"{tf_keras.__version__}: {_first_line(error)}; build the encoder again"
            ) from error
        return cls(config, features)

    def arrays(self) -> dict[str, Any]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {f"w{n:05}": weight for n, weight in enumerate(self.features.get_weights())}


def _application(config: KerasApplicationConfig) -> tuple[Any, Any]:
    """The function that builds the application, and the one that prepares its pixels."""
    known = {
        name: function
        for name, function in inspect.getmembers(tf_keras.applications, inspect.isfunction)
        if hasattr(sys.modules[function.__module__], "preprocess_input")
    }
    if config.application not in known:
        raise EncoderError(
            f"tf.keras.applications has no '{config.application}'; it has: {', '.join(known)}",
            field="application",
        )
    function = known[config.application]
    return function, sys.modules[function.__module__].preprocess_input


def _network(config: KerasApplicationConfig, *, weights: str | None) -> Any:
    """The application that has the layer: with its classifier only where the layer is in there."""
    layers: list[str] = []
    for classifier in _CLASSIFIER:
        network = _built(config, weights=None, classifier=classifier)
        layers = [layer.name for layer in network.layers]
        if config.layer is None or config.layer in layers:
            again = weights is not None  # Only now is it known which weights to download.
            return _built(config, weights=weights, classifier=classifier) if again else network
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
                f"'{config.application}' has no width multiplier: leave 'alpha' out", field="alpha"
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
            f"expected a file of weights; {path} is not there: check the encoder's 'weights'",
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
    """He et al. 2015 from a fixed seed for matrices and kernels; vectors as Keras starts them."""
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
