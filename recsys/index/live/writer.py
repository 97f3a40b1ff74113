"""The writer of a changing index."""

from __future__ import annotations

import importlib
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recsys.errors import ServiceError
from recsys.ids import Rows, Vectors
from recsys.index.building.sample import Queries
from recsys.index.live.applying import apply, difference, group_again, is_scattered
from recsys.index.live.changes import Change
from recsys.index.live.compaction import (
    Build,
    CompactionReport,
    CompactionRule,
    build_for,
    rebuild,
    remove,
)
from recsys.index.live.live_index import LiveIndex
from recsys.index.live.reach import ReachEstimate

_PASSES = 2


class IndexWriter:
    """Upserts and deletes rows of an index without a rebuild.

    ``current`` is the newest version, an immutable index that is replaced in one assignment: read
    it once per request. Reads take no lock. Writes from several threads wait for one another. From
    the moment that a call returns, ``current`` never has a deleted row as a hit, nor a replaced
    vector.

    When ``rule`` holds after a write, a new base is built and tuned in the background, in another
    process of low priority for an approximate index. A compaction that fails or is stopped changes
    nothing; ``last_compaction`` reports it.

    Args:
        live: Version to begin with; :meth:`LiveIndex.over` makes one of an index.
        folder: Folder for the files of new bases, on a disk with room for twice the vectors.
        queries: Typical queries, float32 ``[q, d]``, or several kinds of them by name, on which a
            new base is tuned; without any, on its vectors.
        rule: When to compact; ``CompactionRule()`` by default.
        build: How a new base is built; by default chosen by the configuration of the base.
        on_compaction: Function that is called after a new base has become the newest version.

    Example:
        >>> import tempfile; import numpy as np
        >>> from recsys.index import ExactIndex
        >>> live = LiveIndex.over(ExactIndex.of(np.eye(2, dtype=np.float32)))
        >>> with IndexWriter(live, Path(tempfile.mkdtemp())) as writer:
        ...     _ = writer.upsert(np.array([2]), np.array([[3, 3]], np.float32))
        ...     _ = writer.delete(np.array([0]))
        ...     hits = writer.current.search(np.ones((1, 2), np.float32), k=3)
        >>> hits.at(0)[0].tolist()
        [2, 1]
    """

    def __init__(
        self,
        live: LiveIndex,
        folder: Path,
        *,
        queries: Queries | None = None,
        rule: CompactionRule | None = None,
        build: Build | None = None,
        on_compaction: Callable[[], object] | None = None,
    ) -> None:
        # Compiled loops are loaded here, and not by the first read after a write.
        importlib.import_module("recsys.index.live.kernels")
        self.current = live
        self.last_compaction: CompactionReport | None = None
        self._folder, self._queries = folder, queries
        self._rule = CompactionRule() if rule is None else rule
        self._build = build_for(live.config) if build is None else build
        self._on_compaction = on_compaction
        self._reach = ReachEstimate(queries)
        self._base_folder: Path | None = None
        self._not_before = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._compaction: threading.Thread | None = None

    def upsert(self, rows: Rows, vectors: Vectors) -> LiveIndex:
        """Give rows new vectors, all at once, and return the version with them.

        Args:
            rows: Rows, each once, int32 ``[m]``. New rows follow the last one without a gap; a
                deleted row may come back.
            vectors: float32 ``[m, d]``.

        Raises:
            InvalidRequestError: An argument is not valid; nothing changes.
        """
        return self._write(lambda live: _change(live, rows=rows, vectors=vectors))

    def delete(self, rows: Rows) -> LiveIndex:
        """Delete rows, all at once, and return the version without them.

        Raises:
            InvalidRequestError: A row has no vector, or is there twice; nothing changes.
        """
        return self._write(lambda live: _change(live, deleted=rows))

    def write(self, change: Change) -> LiveIndex:
        """Apply a change, all at once, and return the version after it.

        Raises:
            InvalidRequestError: The change does not fit the newest version; nothing changes.
        """
        return self._write(lambda live: change)

    def request_compaction(self, reason: str) -> bool:
        """Start a compaction in the background, for instance when measured recall has drifted.

        Return whether it was started; False while another one runs.
        """
        with self._lock:
            return self._start(reason)

    def compact(self) -> CompactionReport:
        """Compact now, or wait for the compaction that runs; return its report."""
        with self._lock:
            self._check_open()
            self._start("requested")
            running = self._compaction
        assert running is not None
        running.join()
        assert self.last_compaction is not None
        return self.last_compaction

    def close(self) -> None:
        """Stop a running compaction; ``current`` stays readable, and later writes are refused."""
        with self._lock:
            self._stop.set()
            running = self._compaction
        if running is not None:
            running.join()

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._stop.is_set():
            raise ServiceError("the writer is closed; open another one to write")

    def _write(self, change_of: Callable[[LiveIndex], Change]) -> LiveIndex:
        with self._lock:
            self._check_open()
            change = change_of(self.current)
            change.check(self.current.live_vectors)
            self.current = apply(self.current, change, self.current.version + 1)
            self.current = self._grouped(self.current)
            changed = self.current.changes
            if changed >= self._not_before and self._rule.holds(self.current):
                self._start(f"{changed:,} rows of {len(self.current.base.index):,} have changed")
            return self.current

    def _start(self, reason: str) -> bool:
        if self._compaction is not None or self._stop.is_set():
            return False
        self._compaction = threading.Thread(
            target=self._compact, args=(reason,), name="compaction", daemon=True
        )
        self._compaction.start()
        return True

    def _compact(self, reason: str) -> None:
        began, start, error = time.perf_counter(), self.current, None
        folder: Path | None = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="base-", dir=self._folder))
            self._swap(start, rebuild(start, folder, self._queries, self._build, self._stop))
            self._base_folder, folder = folder, self._base_folder
        except Exception as caught:  # Whatever it is, the index stays as it is.
            error = f"{type(caught).__name__}: {caught}"
            self._not_before = self.current.changes * 3 // 2
        else:
            self._not_before = 0
        remove(folder)
        seconds = time.perf_counter() - began
        self.last_compaction = CompactionReport(reason, start.version, len(start), seconds, error)
        with self._lock:
            self._compaction = None
        if error is None and self._on_compaction is not None:
            self._on_compaction()

    def _swap(self, start: LiveIndex, fresh: LiveIndex) -> None:
        """Replay the writes since ``start`` on its compacted form, and make that the newest one."""
        for _ in range(_PASSES):  # The last writes are few, and writers wait for these only.
            now = self.current
            fresh, start = self._grouped(_replayed(fresh, start, now)), now
        with self._lock:
            self.current = _replayed(fresh, start, self.current)

    def _grouped(self, live: LiveIndex) -> LiveIndex:
        return self._reach.measured(group_again(live)) if is_scattered(live) else live


def _change(live: LiveIndex, **writes: Any) -> Change:
    return Change.of(live.dimension, size=len(live), **writes)


def _replayed(fresh: LiveIndex, start: LiveIndex, now: LiveIndex) -> LiveIndex:
    return apply(fresh, difference(start, now), now.version)
