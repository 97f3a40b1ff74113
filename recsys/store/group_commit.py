"""Group commit: writes of threads that wait at the same time share one transaction.

A commit waits for the disk. The first thread leads: it writes its own changes and those of all that
wait. Meanwhile others arrive; when it has finished, it wakes its group and lets the first of them
lead. With one caller, each write is a transaction.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
        leads: Whether its thread writes the next group.
    """

    rows: list[Row]
    key: bytes | None
    digest: bytes
    result: Receipt | Exception | None = None
    leads: bool = False
    _sleeping: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._sleeping.acquire()

    def wait(self) -> None:
        """Return when the result is known or this thread leads."""
        self._sleeping.acquire()

    def wake(self) -> None:
        """Let :meth:`wait` return."""
        self._sleeping.release()


class GroupCommit:
    """Collects writes and hands them over in groups, one group at a time.

    Args:
        commit: Writes a group in one transaction and returns the result of each; an exception
            means that none was written.
    """

    def __init__(self, commit: Callable[[list[PendingWrite]], list[Receipt | Exception]]) -> None:
        self._commit = commit
        self._waiting: deque[PendingWrite] = deque()
        self._lock = threading.Lock()
        self._is_led = False

    def write(self, pending: PendingWrite) -> Receipt:
        """Write together with the writes of other threads, and return when it is on disk."""
        (result,) = self.write_each([pending])
        if isinstance(result, Receipt):
            return result
        raise result

    def write_each(self, writes: Sequence[PendingWrite]) -> list[Receipt | Exception]:
        """Write several writes of one thread in their order; the result of each.

        They share transactions, with those of other threads, too, and are on disk on return.
        """
        with self._lock:
            self._waiting.extend(writes)
            writes[0].leads, self._is_led = not self._is_led, True
        done = 0
        try:
            for pending in writes:
                self._complete(pending)
                done += 1
        finally:
            for pending in writes[done + 1 :]:  # an interrupted thread gives up its writes
                self._leave(pending)
        return [_known(pending) for pending in writes]

    def _complete(self, pending: PendingWrite) -> None:
        try:
            if not pending.leads:
                pending.wait()
            if pending.leads:
                self._lead()
        finally:
            if pending.leads or pending.result is None:
                self._leave(pending)

    def _lead(self) -> None:
        """Write everything that waits, as far as it fits one group."""
        group: list[PendingWrite] = []
        rows = size = 0
        with self._lock:
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

    def _leave(self, pending: PendingWrite) -> None:
        """Let the next thread lead; an interrupted thread also gives up its write."""
        with self._lock:
            if pending in self._waiting:
                self._waiting.remove(pending)
            if pending.leads:
                pending.leads = False
                self._is_led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].wake()


def _known(pending: PendingWrite) -> Receipt | Exception:
    assert pending.result is not None
    return pending.result


def _finish(group: list[PendingWrite], results: list[Receipt | Exception]) -> None:
    for pending, result in zip(group, results):
        pending.result = result
        if not pending.leads:
            pending.wake()


def _copy(error: BaseException) -> Exception:
    """An exception of its own for each thread, since raising one adds to its traceback."""
    if isinstance(error, StoreError):
        made = StoreError(error.message)
    else:
        made = StoreError(f"nothing was acknowledged: {type(error).__name__}: {error}")
    made.__cause__ = error
    return made
