"""What keeps the suite short: which files come first, and what is not done a thousand times."""

from __future__ import annotations

import gc
import sys

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: one that begins last would be waited for by all workers.

    They take whole files in this order (``--no-loadscope-reorder`` in the Makefile).
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Once all is imported, and before anything runs.

    To look for garbage in TensorFlow takes a third of a second, and what was imported stays. To
    optimise a graph takes longer than any test runs it; the demo and the service have theirs
    optimised, as every user has.
    """
    gc.collect()
    gc.freeze()
    if "tensorflow" in sys.modules:
        options = {"disable_meta_optimizer": True}
        sys.modules["tensorflow"].config.optimizer.set_experimental_options(options)
