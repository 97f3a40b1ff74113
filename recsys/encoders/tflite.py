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
from recsys.encoders.pictures import Broken, Pixels, decode
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
        return int(np.prod(self._output["shape"]))

    @cached_property
    def fingerprint(self) -> str:
        config = self.config.model_dump(mode="json", exclude={"file", "threads"})
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
            raw = self.interpreter.get_tensor(self._output["index"]).ravel()  # (d,)
        scale, zero_point = self._output["quantization"]
        if scale == 0:  # TFLite's mark of an output that is not quantised.
            return np.asarray(raw, np.float32)
        return np.asarray(scale * (raw.astype(np.float32) - zero_point), np.float32)

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
        details: dict[str, Any] = self.interpreter.get_output_details()[self.config.output]
        return details

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
            interpreter = tf.lite.Interpreter(model_content=model, num_threads=config.threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise EncoderError(
            f"{config.file} is not a whole TFLite model: {error}; get the file again", field="file"
        ) from error
    return interpreter
