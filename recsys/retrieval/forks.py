"""Use of an open bundle in a forked process, which would wait forever, is refused.

A fork copies the memory of TensorFlow but not its threads, so that its first operation in the child
never ends.
"""

from __future__ import annotations

import os
import sys

from recsys.errors import ServiceError

_opened_in: set[int] = set()
"""Processes, this one and those it was forked from, that opened a retriever over TensorFlow."""


def record_process() -> None:
    """Record that this process opens a retriever."""
    if "tensorflow" in sys.modules:
        _opened_in.add(os.getpid())


def check_process() -> None:
    """Refuse a process that was forked from one with an open retriever.

    Raises:
        ServiceError: It was.
    """
    parents = _opened_in - {os.getpid()}
    if parents:
        raise ServiceError(
            f"process {os.getpid()} was forked from process {min(parents)}, which had opened an "
            "engine or a bundle; TensorFlow does not work after a fork and would wait forever. "
            "Start processes with multiprocessing.get_context('spawn') and open the bundle in each"
        )
