"""SIGTERM, SIGINT and SIGHUP from the first moment of the process.

A signal without a handler ends a process without a word, raises KeyboardInterrupt at any place, and
is ignored for process 1 of a container. This module therefore imports nothing but the standard
library, and ``recsys_server.__main__`` calls it first.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_STOPS = (signal.SIGTERM, signal.SIGINT)
_received: list[signal.Signals] = []


def catch() -> None:
    """Record the signals that stop the service; nothing else happens yet."""
    for number in _STOPS:
        signal.signal(number, _record)
    signal.signal(signal.SIGHUP, lambda number, frame: None)  # nothing is loaded yet


def received() -> bool:
    """Whether a signal to stop has come."""
    return bool(_received)


def call_on_stop(stop: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
    """Call ``stop`` in an event loop at each signal, and at once if one has come before."""
    for number in _STOPS:
        loop.add_signal_handler(number, stop)
    if _received:
        stop()


def call_on_reload(check: Callable[[], object], loop: asyncio.AbstractEventLoop) -> None:
    """Call ``check`` in an event loop at each SIGHUP, which ends a process without a handler."""
    loop.add_signal_handler(signal.SIGHUP, check)


def _record(number: int, frame: FrameType | None) -> None:
    _received.append(signal.Signals(number))
