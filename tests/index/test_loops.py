"""Compilation of loops."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError

from recsys.ids import Vectors
from recsys.loops import F4, allocation_free, array


def test_a_loop_without_allocation_gives_its_result_and_frees_its_arguments() -> None:
    def total(numbers: Vectors) -> float:
        found = np.float32(0)
        for j in range(len(numbers)):
            found += numbers[j]
        return found

    numbers = np.arange(4, dtype=np.float32)
    assert allocation_free(F4(array(F4)))(total)(numbers) == 6
    numbers.resize(2)  # An array that is still referenced cannot be resized.


def test_a_numba_without_the_option_compiles_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_loop = numba.njit

    def without_the_option(*signature: Any, **options: Any) -> Any:
        if "_nrt" in options:
            raise KeyError("Unrecognized options")
        return compile_loop(*signature, **options)

    def doubled(number: float) -> float:
        return number * 2

    monkeypatch.setattr(numba, "njit", without_the_option)
    assert allocation_free(F4(F4))(doubled)(1.5) == 3


def test_a_loop_that_allocates_is_refused() -> None:
    def largest(numbers: Vectors) -> float:
        return (numbers + np.float32(1)).max()

    with pytest.raises(TypingError):
        allocation_free(F4(array(F4)))(largest)
