"""The encoder "tflite": an image model in a ``.tflite`` file that ends in an embedding."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import tf
from recsys.encoders import saved
from recsys.encoders.base import Content, Encoded, Fault, Kind, files_of
from recsys.encoders.configs import TFLiteConfig
from recsys.encoders.pictures.decoding import Broken, Pixels, decode
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.progress import Progress, silent

MODEL = "model.tflite"


def build(
    config: TFLiteConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> TFLite:
    """Read the file; ``training`` is not used.

    Raises:
        EncoderError: The file is missing, is no TFLite model, or reads no pictures.
    """
    progress("load the network", 0, 1, config.file.name)
    try:
        model = config.file.read_bytes()
    except OSError as error:
        raise EncoderError(
            f"cannot read the TFLite model {config.file}: {error.strerror}; check the encoder's "
            "'file'",
            field="file",
        ) from error
    encoder = TFLite.of(config, model)
    progress("load the network", 1, 1, f"{encoder.dimension} dimensions")
    return encoder


@dataclass(frozen=True, eq=False)
class TFLite(saved.SavedEncoder):
    """An image encoder over a TFLite interpreter; one picture at a time, from any thread.

    Attributes:
        config: How it was built.
        model: The file.
        interpreter: Runs it.
    """

    config: TFLiteConfig
    model: bytes
    interpreter: Any
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, config: TFLiteConfig, model: bytes) -> TFLite:
        """Check that ``model`` reads one square picture and ends in numbers.

        Raises:
            EncoderError: It does not.
        """
        encoder = cls(config, model, _interpreter(config, model))
        shape = encoder._input["shape"].tolist()
        if len(shape) != 4 or shape[0] != 1 or shape[1] != shape[2] or shape[3] != 3:
            raise EncoderError(
                f"{config.file} reads {shape}; expected one square RGB picture, [1, size, size, 3]"
            )
        if encoder._input["dtype"] not in (np.float32, np.uint8, np.int8):
            raise EncoderError(
                f"{config.file} reads {encoder._input['dtype'].__name__}; expected float32, "
                "uint8 or int8"
            )
        if config.layer is not None:
            encoder._check_layer()
        outputs = len(encoder.interpreter.get_output_details())
        if config.output >= outputs:
            raise EncoderError(
                f"{config.file} has {outputs} outputs, numbered from 0; 'output' is "
                f"{config.output}",
                field="output",
            )
        return encoder

    @property
    def kind(self) -> Kind:
        return "image"

    @cached_property
    def dimension(self) -> int:
        shape = self._output["shape"]
        return int(shape[-1] if self._averaged else np.prod(shape))

    @cached_property
    def fingerprint(self) -> str:
        config = self.config.model_dump(mode="json", exclude={"file", "threads"}, exclude_none=True)
        return saved.fingerprint_of(self.name, config, self.files())

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """See :class:`~recsys.encoders.base.Encoder`."""
        raw = np.zeros((len(contents), self.dimension), np.float32)
        faults = []
        size = int(self._input["shape"][1])
        for position, content in enumerate(files_of(contents)):
            if content is None:
                continue
            decoded = decode(content, size)
            if isinstance(decoded, Broken):
                faults.append(Fault(position, decoded.reason))
            else:
                raw[position] = self._forward(decoded)
        return Encoded.of(raw, faults)

    def _forward(self, pixels: Pixels) -> Vectors:
        with self._lock:
            self.interpreter.set_tensor(self._input["index"], self._prepared(pixels)[None])
            self.interpreter.invoke()
            raw = self.interpreter.get_tensor(self._output["index"]).astype(np.float32)
        if self._averaged:  # (1, height, width, d) -> (d,)
            raw = raw.mean(axis=(0, 1, 2), dtype=np.float64)
        scale, zero_point = self._output["quantization"]
        if scale == 0:  # TFLite's mark of an output that is not quantised.
            return np.asarray(raw.ravel(), np.float32)
        return np.asarray(scale * (raw.ravel() - zero_point), np.float32)  # (d,)

    def _check_layer(self) -> None:
        """A tensor that says nothing of the picture is a weight.

        Raises:
            EncoderError: It is one, or no tensor of a single picture.
        """
        side = int(self._input["shape"][1])
        noise = np.random.default_rng(0).integers(256, size=(side, side, 3)).astype(np.uint8)
        shape = self._output["shape"].tolist()
        if shape[:1] != [1] or np.array_equal(self._forward(noise), self._forward(255 - noise)):
            raise EncoderError(
                f"the tensor '{self.config.layer}' of {self.config.file}, {shape}, does not depend "
                "on the picture: it is a weight; name a tensor that an operation computes",
                field="layer",
            )

    def _prepared(self, pixels: Pixels) -> npt.NDArray[Any]:
        if self._input["dtype"] == np.uint8:
            return pixels
        if self._input["dtype"] == np.int8:
            return (pixels.astype(np.int16) - 128).astype(np.int8)
        real = pixels.astype(np.float32)
        if self.config.pixels == "byte":
            return real
        return real / 255 if self.config.pixels == "unit" else real / 127.5 - 1

    @cached_property
    def _input(self) -> dict[str, Any]:
        details: dict[str, Any] = self.interpreter.get_input_details()[0]
        return details

    @cached_property
    def _output(self) -> dict[str, Any]:
        outputs: list[dict[str, Any]] = self.interpreter.get_output_details()
        if self.config.layer is None:
            return outputs[self.config.output]
        tensors: list[dict[str, Any]] = self.interpreter.get_tensor_details()
        named = [each for each in tensors if each["name"] == self.config.layer]
        if not named:  # A fused operation has the names of all its parts; so has its bias.
            parts = [each for each in tensors if self.config.layer in each["name"].split(";")]
            named = [each for each in parts if each["shape"][:1].tolist() == [1]] or parts
        if len(named) != 1:
            near = [each["name"] for each in named or tensors if each["name"]][-10:]
            raise EncoderError(
                f"{self.config.file} has {len(named) or 'no'} tensors '{self.config.layer}'; "
                f"{'they' if named else 'the last ones'} are: {', '.join(near)}",
                field="layer",
            )
        return named[0]

    @property
    def _averaged(self) -> bool:
        return self.config.layer is not None and len(self._output["shape"]) == 4

    def arrays(self) -> dict[str, Any]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {}

    def files(self) -> dict[str, bytes]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {MODEL: self.model}

    @classmethod
    def restore(cls, parts: saved.Saved, config: TFLiteConfig) -> TFLite:
        """The encoder that :meth:`save` wrote."""
        return cls.of(config, parts.files[MODEL])


def _interpreter(config: TFLiteConfig, model: bytes) -> Any:
    try:
        with warnings.catch_warnings():
            # TensorFlow announces that this class will move to the package ai_edge_litert. The
            # TensorFlow that is pinned has it; a second runtime would only make it larger.
            warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated", UserWarning)
            # A layer inside takes the memory of all tensors of one picture; that is little.
            warnings.filterwarnings("ignore", ".*experimental_preserve_all_tensors", UserWarning)
            interpreter = tf.lite.Interpreter(
                model_content=model,
                num_threads=config.threads,
                experimental_preserve_all_tensors=config.layer is not None,
            )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise EncoderError(
            f"{config.file} is not a whole TFLite model: {error}; get the file again", field="file"
        ) from error
    return interpreter
