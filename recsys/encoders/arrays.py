"""Reads named arrays back from an ``.npz`` file, with one exception for every kind of damage."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def load_arrays(source: Path | bytes) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an ``.npz`` file, without pickle.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no whole ``.npz`` file, or holds Python objects.

    Example:
        >>> buffer = io.BytesIO(); np.savez(buffer, ones=np.ones(2))
        >>> load_arrays(buffer.getvalue())["ones"].tolist()
        [1.0, 1.0]
    """
    content = source if isinstance(source, bytes) else source.read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, AttributeError, OSError) as error:
        raise ValueError(f"no whole .npz file: {error}") from error
