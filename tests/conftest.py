"""Hooks of the whole suite: examples, the disk, order of files, garbage, graphs, AutoGraph."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any, NoReturn

import pytest
from _pytest.doctest import DoctestItem
from hypothesis import HealthCheck, settings


def pytest_configure() -> None:
    """Make the tests the same in each run, whatever else the machine does.

    Hypothesis chooses the same examples each time, and none fails for its duration. Files reach the
    disk when the system chooses; only a power cut would lose them, not the death of a process.
    Waiting for the disk took as long as the rest of many tests.
    """
    settings.register_profile(
        "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("suite")
    os.fsync = lambda descriptor: None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files: those with slow tests first, doctests last.

    Workers receive whole files in this order (``--no-loadscope-reorder`` in the Makefile), so that
    none starts a long file when the others finish.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (isinstance(item, DoctestItem), item.path not in slow))


def pytest_collection_finish() -> None:
    """Exclude imported modules from garbage collection, and adapt TensorFlow.

    A collection over TensorFlow's objects takes a third of a second. Optimising a graph takes
    longer than any test runs it; the demo and the service run with optimised graphs.
    """
    gc.collect()
    gc.freeze()
    if "tensorflow" in sys.modules:
        options = {"disable_meta_optimizer": True}
        sys.modules["tensorflow"].config.optimizer.set_experimental_options(options)
        _forbid_autograph()


def _forbid_autograph() -> None:
    """Let each conversion by AutoGraph fail.

    AutoGraph rewrites Python's syntax trees in a way that is deprecated since Python 3.13. Where
    it fails it runs the function as it is, so that only some functions would fail with it.
    """
    from tensorflow.python.autograph.impl import api

    def refuse(function: Any, context: Any) -> NoReturn:
        raise AssertionError(f"AutoGraph would convert {function}: use recsys._tf.compiled")

    os.environ["AUTOGRAPH_STRICT_CONVERSION"] = "1"
    api._convert_actual = refuse
