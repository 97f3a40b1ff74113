"""Group commit: writes of threads that wait at the same time share one transaction.

A commit waits for the disk. Whoever holds the lock takes every write that waits; the others find
theirs done. With one caller, each write is a transaction.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from recsys.errors import StoreError
from recsys.store.changes import Receipt
from recsys.store.rows import Row

MAX_ROWS, MAX_BYTES = 5_000, 1 << 25
"""Number of rows, and of bytes of pictures, from which no further write joins a group."""


@dataclass(eq=False)
class PendingWrite:
    """One write of one caller.

    Attributes:
        rows: Its changes.
        key: Digest of its idempotency key, or None.
        digest: Digest of the changes, b"" without a key.
        result: Receipt or error, once it is known.
    """

    rows: list[Row]
    key: bytes | None
    digest: bytes
    result: Receipt | Exception | None = None


class GroupCommit:
    """Collects writes and hands them over in groups, one group at a time.

    Args:
        commit: Writes a group in one transaction and returns the result of each; an exception
            means that none was written.
    """

    def __init__(self, commit: Callable[[list[PendingWrite]], list[Receipt | Exception]]) -> None:
        self._commit = commit
        self._waiting: deque[PendingWrite] = deque()
        self._leading = threading.Lock()

    def write(self, pending: PendingWrite) -> Receipt:
        """Write together with the writes of other threads, and return when it is on disk."""
        self._waiting.append(pending)
        with self._leading:
            if pending.result is None:
                self._lead()
        if isinstance(pending.result, Receipt):
            return pending.result
        assert pending.result is not None
        raise pending.result

    def _lead(self) -> None:
        group: list[PendingWrite] = []
        rows = size = 0
        while self._waiting and rows < MAX_ROWS and size < MAX_BYTES:
            group.append(self._waiting.popleft())
            rows += len(group[-1].rows)
            size += sum(len(row["picture"] or b"") for row in group[-1].rows)
        results: list[Receipt | Exception]
        try:
            results = self._commit(group)
        except BaseException as error:
            results = [_copy(error) for _ in group]
            if not isinstance(error, Exception):  # of this thread alone: its group must not wait
                _finish(group, results)
                raise
        _finish(group, results)


def _finish(group: list[PendingWrite], results: list[Receipt | Exception]) -> None:
    for pending, result in zip(group, results):
        pending.result = result


def _copy(error: BaseException) -> Exception:
    """An exception of its own for each thread, since raising one adds to its traceback."""
    if isinstance(error, StoreError):
        made = StoreError(error.message)
    else:
        made = StoreError(f"nothing was acknowledged: {type(error).__name__}: {error}")
    made.__cause__ = error
    return made
