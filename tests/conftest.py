"""Files with slow tests come first: one that begins last would be waited for by all workers."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers take whole files in this order (``--no-loadscope-reorder`` in the Makefile)."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
