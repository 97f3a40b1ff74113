"""Gauges of a worker that are read once per second: its bundles, its snapshots, and its process."""

from __future__ import annotations

import os
import resource
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from recsys.errors import StoreError
from recsys_server.metrics.worker_metrics import Labels, WorkerMetrics
from recsys_server.rollout import LoadedBundle, Rollout

if TYPE_CHECKING:
    from recsys.live import LiveEngine

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MARKS = 3_600
_SPACES = (*("items", "delta_items", "hidden_items", "index_built_seconds", "index_recall_target"),)
_RECALLS = ("recall", "recall_low", "recall_target", "recall_samples", "recall_drifting")
_CHANGES = (
    *("snapshot_watermark", "snapshot_lag_changes", "snapshot_lag_seconds"),
    *("changes_waiting", "changes_refused"),
)
_BUNDLES = (
    *("bundle_info", "bundle_created_seconds", "audit_dropped", "audit_wrong_rows"),
    *("catalogue_items", "users", "interactions"),
)
_Gauges = dict[str, dict[Labels, float]]


class Sampler:
    """Reads the gauges of a worker.

    A snapshot follows its store at each sample, so that it stays near the store without requests.

    Args:
        metrics: Metrics of the worker.
        rollout: The bundles that answer.
        clock: Time in seconds since 1970.

    Example:
        >>> def sample_once(metrics: WorkerMetrics, rollout: Rollout) -> None:
        ...     Sampler(metrics, rollout).sample(refused=0)
    """

    def __init__(
        self, metrics: WorkerMetrics, rollout: Rollout, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._metrics = metrics
        self._rollout = rollout
        self._clock = clock
        self._deployment = rollout.current
        self._swaps = metrics.number("recsys_bundle_swaps")
        self._lags: WeakKeyDictionary[LiveEngine, _Lag] = WeakKeyDictionary()
        self._built: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def sample(self, refused: int) -> None:
        """Set the gauges.

        Args:
            refused: Number of bundles that could not be served.
        """
        metrics, deployment = self._metrics, self._rollout.current
        if deployment is not self._deployment:
            self._deployment = deployment
            self._swaps.value += 1
        gauges: _Gauges = {name: {} for name in (*_BUNDLES, *_SPACES, *_RECALLS, *_CHANGES)}
        for role, loaded in (("active", deployment.active), ("canary", deployment.canary)):
            if loaded is not None:
                self._read_bundle(gauges, role, loaded)
        for name, values in gauges.items():
            metrics.replace(f"recsys_{name}", values)
        metrics.number("recsys_canary_share").value = deployment.share
        metrics.number("recsys_bundles_refused").value = refused
        usage = resource.getrusage(resource.RUSAGE_SELF)
        metrics.number("recsys_worker_cpu_seconds").value = usage.ru_utime + usage.ru_stime
        with open("/proc/self/statm", encoding="ascii") as file:
            metrics.number("recsys_worker_memory_bytes").value = int(file.read().split()[1]) * _PAGE

    def _read_bundle(self, gauges: _Gauges, role: str, loaded: LoadedBundle) -> None:
        created = _created(loaded)
        gauges["bundle_info"][role, loaded.version] = 1
        gauges["bundle_created_seconds"][(role,)] = created
        if loaded.engine is not None:
            self._read_changes(gauges, role, loaded.engine)
        retriever: Any = (
            loaded.source if loaded.engine is None else loaded.engine.snapshot.retriever
        )
        spaces: Mapping[str, Any] = getattr(retriever, "spaces", {})
        for name, space in spaces.items():
            counts = getattr(space.index, "counts", None)  # of an index that changes
            values: tuple[float, ...] = (len(space), 0, 0)
            if counts is not None:
                values = (counts.alive, counts.fresh, counts.hidden)
            values = (*values, self._built_at(space.index, created), _target(space.index))
            for gauge, value in zip(_SPACES, values):
                gauges[gauge][role, name] = value
        for gauge, value in _sizes(retriever):
            gauges[gauge][(role,)] = value
        if (audit := getattr(retriever, "audit", None)) is not None:
            _read_audit(gauges, role, audit.figures())

    def _built_at(self, index: Any, created: float) -> float:
        """Time of an index's base: of its bundle, or at which a newer base was first seen."""
        base = getattr(index, "base", None)
        if base is None or not base.built:
            return created
        return self._built.setdefault(base, self._clock())

    def _read_changes(self, gauges: _Gauges, role: str, engine: LiveEngine) -> None:
        metrics, now = self._metrics, self._clock()
        try:
            stored = engine.store.watermark  # before the snapshot, which may then include more
            metrics.number("recsys_store_bytes").value = engine.store.size()
        except StoreError:
            metrics.number("recsys_store_up").value = 0
            return
        metrics.number("recsys_store_watermark").value = stored
        metrics.number("recsys_store_up").value = 1
        included = engine.latest().watermark
        lag = self._lags.setdefault(engine, _Lag())
        seconds = lag.seconds(stored, included, now)
        values = (included, max(0, stored - included), seconds, engine.waiting, engine.refusals)
        for gauge, value in zip(_CHANGES, values):
            gauges[gauge][(role,)] = value


class _Lag:
    """Time since the first change that a snapshot does not include was seen."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque(maxlen=_MARKS)

    def seconds(self, stored: int, included: int, now: float) -> float:
        if not self._marks or self._marks[-1][0] < stored:
            self._marks.append((stored, now))
        while self._marks and self._marks[0][0] <= included:
            self._marks.popleft()
        return now - self._marks[0][1] if self._marks else 0.0


def _read_audit(gauges: _Gauges, role: str, figures: Any) -> None:
    gauges["audit_wrong_rows"][(role,)] = figures.wrong_rows
    gauges["audit_dropped"][(role,)] = figures.dropped + figures.failed
    for each in figures.windows:
        target = 0.0 if each.target is None else each.target
        values = (each.recall, each.low, target, each.samples, float(each.drifting))
        for gauge, value in zip(_RECALLS, values):
            gauges[gauge][role, each.label, each.kind] = value


def _target(index: Any) -> float:
    """Recall that the search of an index is tuned for; one without a configuration is exact."""
    base = getattr(index, "base", None)
    config = getattr(getattr(base, "index", index), "config", None)
    return float(getattr(config, "target_recall", 1.0))


def _sizes(retriever: Any) -> Iterator[tuple[str, float]]:
    """Number of items, users and interactions of a retriever that has them."""
    log, popularity = getattr(retriever, "log", None), getattr(retriever, "popularity", None)
    if log is None:
        return
    yield "catalogue_items", len(retriever.catalogue.ids)
    yield "users", log.n_users
    recorded = getattr(popularity, "recorded", None)
    yield "interactions", len(log) if recorded is None else recorded.total(log.length)


def _created(loaded: LoadedBundle) -> float:
    if loaded.bundle is None:
        return 0.0
    return datetime.fromisoformat(loaded.bundle.manifest.created.replace("Z", "+00:00")).timestamp()
