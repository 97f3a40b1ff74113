"""Reading of ``.safetensors`` files."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import EncoderError
from recsys.ids import Vectors

_FLOATS = ("F64", "F32", "F16", "BF16")


def read_safetensors(path: Path) -> dict[str, Vectors]:
    """The floating-point tensors by name, as float32."""
    try:
        library: Any = importlib.import_module("safetensors")
    except ImportError as error:
        raise EncoderError(
            f"a .safetensors file needs safetensors, which cannot be loaded ({error}): "
            "pip install 'recsys[bert]'"
        ) from error
    try:
        with (
            library.safe_open(str(path), "numpy") as file,
            # A float64 that is too large becomes infinite, and the check of the weights fails.
            np.errstate(over="ignore"),
        ):
            return {
                name: np.asarray(file.get_tensor(name)).astype(np.float32)
                for name in file.keys()  # noqa: SIM118  not a mapping
                if file.get_slice(name).get_dtype() in _FLOATS
            }
    except OSError as error:
        raise EncoderError(f"{path} cannot be read: {error}; get the model again") from error
    except library.SafetensorError as error:
        raise EncoderError(
            f"expected a whole safetensors file; {path} is not: {error}; get the model again"
        ) from error
