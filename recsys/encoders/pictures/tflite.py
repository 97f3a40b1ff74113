"""The encoder "tflite": an image model in a ``.tflite`` file with an embedding as output."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import tf
from recsys.encoders.contents import Contents
from recsys.encoders.pictures.configs import TFLiteConfig
from recsys.encoders.pictures.encoder import PictureEncoder
from recsys.encoders.storage import EncoderParts
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.pictures.decoding import Pixels
from recsys.progress import Progress

MODEL = "model.tflite"


@dataclass(frozen=True, eq=False)
class TFLite(PictureEncoder):
    """A picture encoder over a TFLite interpreter; thread-safe."""

    config: TFLiteConfig
    model: bytes
    interpreter: Any
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def build(
        cls, config: TFLiteConfig, training: Contents, checkpoints: Path | None, progress: Progress
    ) -> TFLite:
        """Read the file; ``training`` is not used."""
        progress("load the network", 0, 1, config.file.name)
        try:
            model = config.file.read_bytes()
        except OSError as error:
            raise EncoderError(
                f"cannot read the TFLite model {config.file}: {error.strerror}; check the "
                "encoder's 'file'",
                field="file",
            ) from error
        encoder = cls.of(config, model)
        progress("load the network", 1, 1, f"{encoder.dimension} dimensions")
        return encoder

    @classmethod
    def of(cls, config: TFLiteConfig, model: bytes) -> TFLite:
        """Check that ``model`` reads one square picture and ends in numbers."""
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

    @classmethod
    def restore(cls, config: TFLiteConfig, parts: EncoderParts) -> TFLite:
        """The encoder of saved parts."""
        return cls.of(config, parts[MODEL])

    @cached_property
    def dimension(self) -> int:
        """Length of the vectors."""
        shape = self._output["shape"]
        return int(shape[-1] if self._averaged else np.prod(shape))

    @property
    def size(self) -> int:
        """Side of the input in pixels."""
        return int(self._input["shape"][1])

    @property
    def settings(self) -> Mapping[str, Any]:
        """The configuration without its file and its threads."""
        return self.config.model_dump(mode="json", exclude={"file", "threads"}, exclude_none=True)

    def parts(self) -> EncoderParts:
        """The file."""
        return {MODEL: self.model}

    def vectors_of(self, pixels: Pixels) -> Vectors:
        """The embedding of each picture."""
        return np.stack([self._vector(picture) for picture in pixels])

    def _vector(self, pixels: Pixels) -> Vectors:
        with self._lock:
            self.interpreter.set_tensor(self._input["index"], self._prepared(pixels)[None])
            self.interpreter.invoke()
            raw = self.interpreter.get_tensor(self._output["index"]).astype(np.float32)
        if self._averaged:  # (1, height, width, d) -> (d,)
            raw = raw.mean(axis=(0, 1, 2), dtype=np.float64)
        scale, zero_point = self._output["quantization"]
        if scale == 0:  # The output is not quantised.
            return np.asarray(raw.ravel(), np.float32)
        return np.asarray(scale * (raw.ravel() - zero_point), np.float32)  # (d,)

    def _check_layer(self) -> None:
        """Check that the tensor depends on the picture."""
        shape = (self.size, self.size, 3)
        noise = np.random.default_rng(0).integers(256, size=shape).astype(np.uint8)
        found = self._output["shape"].tolist()
        if found[:1] != [1] or np.array_equal(self._vector(noise), self._vector(255 - noise)):
            raise EncoderError(
                f"the tensor '{self.config.layer}' of {self.config.file}, {found}, does not depend "
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
        if not named:  # The name of a fused operation, and of its bias, joins all parts.
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


def _interpreter(config: TFLiteConfig, model: bytes) -> Any:
    try:
        with warnings.catch_warnings():
            # TensorFlow announces that this class will move to the package ai_edge_litert.
            warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated", UserWarning)
            # An inner layer needs the memory of all tensors of one picture, which is little.
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
