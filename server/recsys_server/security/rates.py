"""Calls of tokens per time, counted once for all workers of a service.

The workers share a small file in memory, which their supervisor makes. Each token with a rate has a
slot with the number of its calls in the present and in the last window of time.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import time
import weakref
from collections.abc import Callable

from limits import RateLimitItem

SLOTS = 4_096
_SLOT = struct.Struct("=8sqqq")  # key, begin of a window, calls in it and in the one before
_EMPTY = bytes(8)
_PROBES = 64


class SharedRates:
    """Counts of calls that the processes of a service share.

    A rate of n per time holds over a sliding window: the calls of the present window count in full,
    those of the last one by the share of it that the sliding window covers.

    Args:
        descriptor: File of :func:`shared_file`, as it was inherited; None for counts of this
            process alone.
        clock: Time in seconds, the same for all processes.

    Example:
        >>> from limits import parse
        >>> rates = SharedRates(clock=lambda: 1_000.0)
        >>> [rates.take("search", parse("2/second")) for _ in range(3)]
        [None, None, 1.0]
    """

    def __init__(
        self, descriptor: int | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        made = shared_file() if descriptor is None else descriptor
        # Opened again: a lock belongs to an opened file, which inherited descriptors share.
        self._file = os.open(f"/proc/self/fd/{made}", os.O_RDWR | os.O_CLOEXEC)
        if descriptor is None:
            os.close(made)
        weakref.finalize(self, os.close, self._file)
        self._slots = mmap.mmap(self._file, SLOTS * _SLOT.size)
        self._clock = clock

    def take(self, name: str, rate: RateLimitItem) -> float | None:
        """Count a call; returns None, or seconds until a further call is allowed, uncounted.

        Args:
            name: Name of the token.
            rate: Rate of the token.
        """
        key = hashlib.blake2b(f"{name} {rate}".encode(), digest_size=8).digest()
        seconds, amount = int(rate.get_expiry()), int(rate.amount)
        now = self._clock()
        begin = int(now // seconds) * seconds
        passed = now - begin
        fcntl.flock(self._file, fcntl.LOCK_EX)  # the system frees it where a process dies
        try:
            at, calls, before = self._find(key, begin, seconds)
            if calls + before * (1 - passed / seconds) >= amount:
                return _wait(calls, before, amount, passed, seconds)
            _SLOT.pack_into(self._slots, at, key, begin, calls + 1, before)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return None

    def _find(self, key: bytes, begin: int, seconds: int) -> tuple[int, int, int]:
        """Offset of a key's slot, and its calls in the window from ``begin`` and the one before.

        A new key takes an empty slot, or that of the key which was not used for the longest time.
        """
        first = int.from_bytes(key, "little")
        oldest: tuple[int, int] | None = None
        for probe in range(_PROBES):
            at = (first + probe) % SLOTS * _SLOT.size
            found, last, calls, before = _SLOT.unpack_from(self._slots, at)
            if found == key and last == begin:
                return at, calls, before
            if found == key:
                return at, 0, calls if last == begin - seconds else 0
            if found == _EMPTY:
                return at, 0, 0
            oldest = min(oldest or (last, at), (last, at))
        assert oldest is not None
        return oldest[1], 0, 0


def shared_file() -> int:
    """Descriptor of an empty file of counts in memory, which child processes can inherit."""
    descriptor = os.memfd_create("recsys-rates")
    os.ftruncate(descriptor, SLOTS * _SLOT.size)
    return descriptor


def _wait(calls: int, before: int, amount: int, passed: float, seconds: int) -> float:
    """Seconds until a further call is within the rate."""
    if calls >= amount:
        return seconds - passed
    return max(0.0, seconds * (1 - (amount - calls) / before) - passed)
