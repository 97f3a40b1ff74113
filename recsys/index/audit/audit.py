"""Sampling of live searches, and the thread that answers the samples exactly."""

from __future__ import annotations

import atexit
import logging
import math
import os
import random
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from recsys.config import Config
from recsys.ids import Rows, Vectors
from recsys.index.api import Index
from recsys.index.audit.figures import AuditFigures, Drift, SearchKind, Window
from recsys.index.audit.samples import Comparison, Sample
from recsys.index.configs import ExactConfig
from recsys.index.hits import Hits
from recsys.index.rows import RowSet

_LOG = logging.getLogger(__name__)


class AuditConfig(Config):
    """Sampling of live searches, and the bound of a drift.

    Attributes:
        share: Share of the queries that are answered exactly as well.
        seed: Seed of the choice; the same order of searches gives the same sample.
        window: Number of the newest samples in a figure, per index and kind of search.
        target: Recall to compare with; "index" is the one that the index was tuned to.
        tolerance: Distance below the target that is no drift.
        at_least: Number of samples below which no drift is reported.
        queue: Largest number of waiting samples; further ones are dropped and counted.

    Example:
        >>> AuditConfig(share=0.01).window
        500
    """

    share: float = Field(default=0.001, gt=0, le=1)
    seed: int = 0
    window: PositiveInt = 500
    target: Annotated[float, Field(gt=0, le=1)] | Literal["index"] = "index"
    tolerance: float = Field(default=0.01, ge=0, lt=1)
    at_least: PositiveInt = 100
    queue: PositiveInt = 64


def log_drift(drift: Drift) -> None:
    """Write the drift's message to the log as a warning."""
    _LOG.warning(drift.message)


class RecallAudit:
    """Recall of live searches, measured on a sample in one background thread.

    ``observe`` never waits for a comparison. A sample is compared with the exact answer of the
    index object that answered it, so that rows changed since then are no errors. Queries whose
    effort is not 1 are not sampled: the target does not apply to them. Thread-safe; in a forked
    process the audit resumes with an empty queue and a thread of its own.

    Args:
        config: Share, window and bound.
        on_drift: Called in the background thread when a drift begins; the default writes a warning
            to the log.

    Example:
        >>> import numpy as np
        >>> from recsys.index import ExactIndex
        >>> index, query = ExactIndex.of(np.eye(3, dtype=np.float32)), np.ones((1, 3), np.float32)
        >>> with RecallAudit(AuditConfig(share=1)) as audit:
        ...     audit.observe("items", index, query, index.search(query, k=2), k=2)
        ...     _ = audit.wait()
        ...     audit.figures().windows[0].recall
        1.0
    """

    def __init__(
        self, config: AuditConfig | None = None, *, on_drift: Callable[[Drift], None] = log_drift
    ) -> None:
        self.config = config or AuditConfig()
        self._on_drift = on_drift
        self._random = random.Random(self.config.seed)
        self._seen = 0
        self._due = self._gap() - 1
        """Number of the next sampled query, counted from 0."""
        self._sampled = self._compared = self._dropped = self._failed = self._wrong = 0
        self._last_error = ""
        self._windows: dict[tuple[str, SearchKind], Window] = {}
        self._closed = False
        self._start_empty()
        _audits.add(self)

    def observe(
        self,
        label: str,
        index: Index,
        queries: Vectors,
        hits: Hits,
        *,
        k: int,
        exclude: Sequence[Rows] | None = None,
        allowed: RowSet | None = None,
        filtered: bool | None = None,
        effort: float = 1.0,
    ) -> None:
        """Show the audit a search: its arguments and its answer, which it copies if it samples.

        ``filtered`` is False where ``allowed`` is no filter, but the rows that have a vector.
        """
        if effort != 1:
            return
        with self._state:
            first = self._seen
            self._seen += len(queries)
            if self._seen <= self._due or self._closed:
                return
            chosen = []
            while self._due < self._seen:
                if self._due >= first:
                    chosen.append(self._due - first)
                self._due += self._gap()
            self._sampled += len(chosen)
            for position in chosen:
                if len(self._queue) >= self.config.queue:
                    self._dropped += 1
                    continue
                rows, scores = hits.at(position)
                self._queue.append(
                    Sample(
                        label,
                        index,
                        queries[position].copy(),
                        k,
                        None if exclude is None else exclude[position],
                        allowed,
                        allowed is not None if filtered is None else filtered,
                        rows.copy(),
                        scores.copy(),
                    )
                )
            self._start()
            self._state.notify_all()

    def figures(self) -> AuditFigures:
        """Counts since the start, and the recall over the window."""
        with self._state:
            windows = [self._windows[key].figure() for key in sorted(self._windows)]
            return AuditFigures(
                self._seen,
                self._sampled,
                self._compared,
                self._dropped,
                self._failed,
                len(self._queue) + self._busy,
                self._wrong,
                self._last_error,
                tuple(windows),
            )

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no sample is waiting; return whether that is so after ``timeout`` seconds."""
        with self._state:
            return self._state.wait_for(lambda: not self._queue and not self._busy, timeout)

    def close(self) -> None:
        """Stop the thread after the present comparison; waiting samples are dropped and counted.

        The figures remain, and further searches are counted but not sampled.
        """
        with self._state:
            self._closed = True
            self._dropped += len(self._queue)
            self._queue.clear()
            self._state.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        atexit.unregister(self.close)

    def __enter__(self) -> RecallAudit:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _gap(self) -> int:
        """Distance to the next sampled query: geometric, as if each was drawn by itself."""
        share = self.config.share
        if share == 1:
            return 1
        return 1 + int(math.log(1 - self._random.random()) / math.log1p(-share))

    def _start_empty(self) -> None:
        self._state = threading.Condition(threading.Lock())
        self._queue: deque[Sample] = deque()
        self._busy = False
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recall-audit", daemon=True)
            self._thread.start()
            atexit.register(self.close)  # A daemon thread must not be in a kernel at the very end.

    def _run(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                sample = self._queue.popleft()
                self._busy = True
            drifts: list[Drift] = []
            error: Exception | None = None
            try:
                comparison = sample.compare()
                drifts = self._record(sample, comparison)
                for drift in drifts:
                    self._on_drift(drift)
            except Exception as caught:  # Neither a lost server nor a callback ends the audit.
                error = caught
            del sample  # The queue alone keeps an index in memory.
            with self._state:
                self._busy = False
                if error is not None:
                    self._failed += 1
                    self._last_error = f"{type(error).__name__}: {error}"
                self._state.notify_all()

    def _record(self, sample: Sample, comparison: Comparison) -> list[Drift]:
        stated, target = self.config.target, None
        if stated != "index":
            target = stated
        elif not isinstance(sample.index.config, ExactConfig):
            target = sample.index.config.target_recall
        drifts: list[Drift] = []
        with self._state:
            self._compared += 1
            self._wrong += comparison.wrong
            if comparison.recall is None:
                return []
            for kind in sample.kinds:
                key = sample.label, kind
                window = self._windows.setdefault(key, Window(*key, self.config.window))
                window.add(comparison.recall, target)
                if window.update(tolerance=self.config.tolerance, at_least=self.config.at_least):
                    drifts.append(Drift(window.figure(), self.config.tolerance))
        return drifts


_audits: weakref.WeakSet[RecallAudit] = weakref.WeakSet()


def _resume_in_child() -> None:
    for audit in list(_audits):
        audit._start_empty()


os.register_at_fork(after_in_child=_resume_in_child)
