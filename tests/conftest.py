"""What keeps the suite short: which files come first, and what garbage is not looked for in."""

from __future__ import annotations

import gc

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: one that begins last would be waited for by all workers.

    They take whole files in this order (``--no-loadscope-reorder`` in the Makefile).
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What was imported stays: to look for garbage in TensorFlow takes a third of a second."""
    gc.collect()
    gc.freeze()
