"""Compilation of loops by numba, which is imported when a module with loops is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import types

F4, F8, I1, I2, I4, I8 = (
    types.float32,
    types.float64,
    types.int8,
    types.int16,
    types.int32,
    types.int64,
)


def array(kind: Any, dimensions: int = 1, *, written: bool = False) -> Any:
    """The type of a contiguous array."""
    return types.Array(kind, dimensions, "C", readonly=not written)


def allocation_free(signature: Any, **options: Any) -> Callable[[Any], Any]:
    """The same as :func:`compiled` for a function that allocates no array.

    It does not count references to its arguments, which takes two atomic operations per array and
    call: about a tenth of a microsecond for ten arrays. numba raises an error if the function does
    allocate. The option is not documented by numba; without it, calls are only slower.
    """

    def compile_function(function: Any) -> Any:
        try:
            return compiled(signature, _nrt=False, **options)(function)
        except KeyError:  # numba does not know the option
            return compiled(signature, **options)(function)

    return compile_function


def compiled(signature: Any, **options: Any) -> Callable[[Any], Any]:
    """Compile a function for one signature, once per installation where a cache can be written."""

    def compile_function(function: Any) -> Any:
        try:
            return numba.njit(signature, nogil=True, cache=True, **options)(function)
        except (RuntimeError, OSError):  # no folder for the cache can be written
            return numba.njit(signature, nogil=True, **options)(function)

    return compile_function
