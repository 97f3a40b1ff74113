"""Hooks that shorten the suite: the order of the files, garbage and graph optimisation."""

from __future__ import annotations

import gc
import sys

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files with slow tests first, so that no worker starts one when the others finish.

    Workers receive whole files in this order (``--no-loadscope-reorder`` in the Makefile).
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Exclude imported modules from garbage collection and switch graph optimisation off.

    A collection over TensorFlow's objects takes a third of a second. Optimising a graph takes
    longer than any test runs it; the demo and the service run with optimised graphs.
    """
    gc.collect()
    gc.freeze()
    if "tensorflow" in sys.modules:
        options = {"disable_meta_optimizer": True}
        sys.modules["tensorflow"].config.optimizer.set_experimental_options(options)
