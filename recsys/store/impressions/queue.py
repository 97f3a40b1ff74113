"""Impressions on their way to the store: answers do not wait for the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from recsys.errors import RecsysError
from recsys.store.impressions.impression import Impression

CAPACITY, BYTES = 5_000, 1 << 26
"""Number of impressions, and of their bytes, that may wait."""
BATCH = 500
"""Largest number of impressions of one transaction."""
GATHER_SECONDS = 0.2
"""Time for which a transaction waits for further impressions."""
RETRY_SECONDS = (0.1, 5.0)
"""First and longest wait after a store that could not be written."""
_log = logging.getLogger(__name__)


class ImpressionQueue:
    """A bounded queue, whose thread writes batches to a store.

    A full queue refuses further impressions: an answer neither waits nor fails. Impressions that
    the store cannot take are tried again until it can. Those that still wait are lost with the
    process; :meth:`close` writes them.

    Args:
        write: Writes impressions to the store in one transaction.
        capacity: Number of impressions that may wait.
        size: Number of their bytes.
        gather: Seconds for which a transaction waits for further impressions.

    Attributes:
        written: Number of impressions handed to the store.
        refused: Number that found the queue full.
        failed: Number of attempts at which the store could not be written.

    Example:
        >>> import numpy as np
        >>> one, found = np.ones(1, np.float32), []
        >>> queue = ImpressionQueue(found.extend, gather=0)
        >>> queue.add(Impression("r1", "ann", 10, ("lamp",), one, one, ("ranked",)))
        True
        >>> queue.close(timeout=10), found[0].request_id
        (True, 'r1')
    """

    def __init__(
        self,
        write: Callable[[Sequence[Impression]], object],
        *,
        capacity: int = CAPACITY,
        size: int = BYTES,
        gather: float = GATHER_SECONDS,
    ) -> None:
        self.written = self.refused = self.failed = 0
        self._write, self._capacity, self._most, self._gather = write, capacity, size, gather
        self._waiting: deque[Impression] = deque()
        self._size, self._writing = 0, 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="impressions", daemon=True)
        self._thread.start()

    def add(self, impression: Impression) -> bool:
        """Whether the queue takes the impression; returns at once."""
        with self._changed:
            is_full = len(self) >= self._capacity or self._size + impression.size > self._most
            if is_full or self._closing.is_set():
                self.refused += 1
                return False
            self._waiting.append(impression)
            self._size += impression.size
            self._changed.notify_all()
            return True

    def __len__(self) -> int:
        """Number of impressions that wait or are being written."""
        return len(self._waiting) + self._writing

    def flush(self, timeout: float) -> bool:
        """Whether everything that was added is in the store, at the latest after ``timeout``."""
        with self._changed:
            return self._changed.wait_for(lambda: not len(self), timeout)

    def close(self, timeout: float) -> bool:
        """Refuse further impressions, and write those that wait; whether all were written."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        self._thread.join(timeout)
        return not len(self)

    def _work(self) -> None:
        wait = RETRY_SECONDS[0]
        while batch := self._next():
            try:
                self._write(batch)
            except RecsysError as error:
                self._again(batch, error, wait)
                wait = min(2 * wait, RETRY_SECONDS[1])
                continue
            except Exception:  # of these impressions, which would never be written
                _log.exception("%d impressions were not recorded", len(batch))
                self.failed += 1
            else:
                self.written += len(batch)
                wait = RETRY_SECONDS[0]
            with self._changed:
                self._writing = 0
                self._changed.notify_all()

    def _next(self) -> list[Impression]:
        """The next batch; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            self._changed.wait_for(
                lambda: len(self._waiting) >= BATCH or self._closing.is_set(), self._gather
            )
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._writing = len(batch)
            self._size -= sum(each.size for each in batch)
            return batch

    def _again(self, batch: list[Impression], error: RecsysError, wait: float) -> None:
        """Put a batch back, and wait for the store."""
        if not self.failed % 100:
            _log.warning("%d impressions wait for the store: %s", len(self), error.message)
        with self._changed:
            self.failed += 1
            self._waiting.extendleft(reversed(batch))
            self._writing = 0
            self._size += sum(each.size for each in batch)
        if self._closing.wait(wait):
            time.sleep(RETRY_SECONDS[0])
