"""Reads the numbers of a ``.safetensors`` file, checked against its own header.

The format, as https://huggingface.co/docs/safetensors states it: eight bytes with the length of
the header (little endian), the header as JSON (per tensor its type, shape and place), then the
numbers. keras-hub would read it through a library that it does not ask for itself.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import EncoderError
from recsys.ids import Vectors

_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_LONGEST_HEADER = 100_000_000  # Bytes; the format's own limit.


def read_safetensors(path: Path) -> dict[str, Vectors]:
    """The tensors of floating-point numbers, by name, as float32; others are left out.

    Raises:
        EncoderError: The file is missing, cut short, or its header contradicts its size.
    """
    try:
        content = np.memmap(path, np.uint8, mode="r")
    except FileNotFoundError as error:
        raise EncoderError(f"{path} is not there; get the model again") from error
    except (OSError, ValueError) as error:  # ValueError: it is empty.
        raise EncoderError(f"{path} cannot be read: {error}; get the model again") from error
    try:
        header, numbers = _header(content)
        return {name: _tensor(name, entry, numbers) for name, entry in header.items()
                if entry.get("dtype") in _FLOATS}  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EncoderError(
            f"expected a whole safetensors file; {path} ({len(content):,} bytes) {_reason(error)}: "
            "get the model again"
        ) from error


def _header(content: npt.NDArray[np.uint8]) -> tuple[dict[str, Any], npt.NDArray[np.uint8]]:
    """The entries by name, and the bytes after the header."""
    length = int.from_bytes(content[:8].tobytes(), "little")
    if len(content) < 8 or length > min(len(content) - 8, _LONGEST_HEADER):
        raise ValueError("ends inside its header")
    header = json.loads(content[8 : 8 + length].tobytes())
    header.pop("__metadata__", None)
    return header, content[8 + length :]


def _tensor(name: str, entry: dict[str, Any], numbers: npt.NDArray[np.uint8]) -> Vectors:
    shape, (start, end) = entry["shape"], entry["data_offsets"]
    kind = np.dtype(_FLOATS[entry["dtype"]])
    whole = [*shape, start, end]
    if not all(type(number) is int and number >= 0 for number in whole):
        raise ValueError(f"gives '{name}' an impossible place")
    if end > len(numbers):
        raise ValueError(f"ends before '{name}' does, which takes it to byte {end:,}")
    if end - start != math.prod(shape) * kind.itemsize:
        raise ValueError(f"gives '{name}' {end - start:,} bytes, which is not its shape {shape}")
    raw = np.frombuffer(numbers[start:end].tobytes(), kind).reshape(shape)
    if entry["dtype"] == "BF16":  # The upper half of a float32.
        return (raw.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # A float64 too large becomes infinite, and is refused later.
        return raw.astype(np.float32)


def _reason(error: Exception) -> str:
    return str(error) if type(error) is ValueError else f"has a damaged header ({error})"
