"""Access of compiled loops to the numbers of vectors in each storage.

The first argument of a loop over vectors is a float32 matrix, a matrix of halves (bfloat16, as
uint16), or int8 codes with a factor per row. A loop is compiled for the last two when they are
first used.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from recsys.index.storage.vectors import StoredVectors

HALVES = types.Array(types.uint16, 2, "C", readonly=True)
BYTES = types.Tuple(
    (types.Array(types.int8, 2, "C", readonly=True), types.Array(types.float32, 1, "C", True))
)
_KINDS = {"bfloat16": HALVES, "int8": BYTES}
_loops: list[tuple[Any, Any]] = []
_compiled: dict[str, int] = {}
"""Number of loops that are compiled per storage."""
_lock = threading.Lock()


def add_loop(dispatcher: Any, signature: Any) -> None:
    """Let a loop, whose first argument is the vectors, also be compiled for stored vectors."""
    _loops.append((dispatcher, signature))


def loop_argument(vectors: Any) -> Any:
    """The vectors as the argument of a loop, which must be imported."""
    if not isinstance(vectors, StoredVectors):
        return vectors
    if _compiled.get(vectors.storage, 0) < len(_loops):
        _compile(vectors.storage)
    return (vectors.codes, vectors.scales) if len(vectors.scales) else vectors.codes


def _compile(storage: str) -> None:
    with _lock:
        # In the order of their definition: a loop follows those that it calls.
        for dispatcher, signature in _loops[_compiled.get(storage, 0) :]:
            arguments = (_KINDS[storage], *signature.args[1:])
            dispatcher.disable_compile(False)
            dispatcher.compile(signature.replace(args=arguments))
            dispatcher.disable_compile()
        _compiled[storage] = len(_loops)


@intrinsic
def _float(_, bits):
    """The float32 with these bits."""

    def generate(context, builder, _, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.uint32), generate


def element(vectors, row, at):
    """One number of a vector, as float32; in compiled loops only."""


@overload(element, inline="always")
def _element(vectors, row, at):
    if isinstance(vectors, types.BaseTuple):

        def read(vectors, row, at):
            return np.float32(vectors[0][row, at]) * vectors[1][row]

    elif vectors.dtype == types.uint16:

        def read(vectors, row, at):
            return _float(np.uint32(np.uint32(vectors[row, at]) << np.uint32(16)))

    else:

        def read(vectors, row, at):
            return vectors[row, at]

    return read


def row_count(vectors):
    """Number of vectors; in compiled loops only."""


@overload(row_count, inline="always")
def _row_count(vectors):
    if isinstance(vectors, types.BaseTuple):
        return lambda vectors: len(vectors[0])
    return lambda vectors: len(vectors)


def row_bytes(vectors, row):
    """Address and size of the numbers of a vector; in compiled loops only."""


@overload(row_bytes, inline="always")
def _row_bytes(vectors, row):
    if isinstance(vectors, types.BaseTuple):

        def start_and_size(vectors, row):
            size = vectors[0].shape[1] * vectors[0].itemsize
            return np.uint64(vectors[0].ctypes.data) + np.uint64(row) * np.uint64(size), size

    else:

        def start_and_size(vectors, row):
            size = vectors.shape[1] * vectors.itemsize
            return np.uint64(vectors.ctypes.data) + np.uint64(row) * np.uint64(size), size

    return start_and_size
