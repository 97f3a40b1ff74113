"""Gauges of a worker that are read once per second: its bundles, its snapshot, and its process."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recsys.errors import StoreError
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.rollout import LoadedBundle, Rollout

if TYPE_CHECKING:
    from recsys.live import LiveEngine

_PAGE = os.sysconf("SC_PAGE_SIZE")


def sample(metrics: WorkerMetrics, rollout: Rollout, *, refused: int) -> None:
    """Set the gauges of a worker.

    Args:
        metrics: Metrics of the worker.
        rollout: The bundles that answer.
        refused: Number of bundles that could not be served.
    """
    deployment = rollout.current
    metrics.number("recsys_canary_share").value = deployment.share
    metrics.number("recsys_bundles_refused").value = refused
    for role, loaded in (("active", deployment.active), ("canary", deployment.canary)):
        created = metrics.number("recsys_bundle_created_seconds", role)
        created.value = 0.0 if loaded is None else _created(loaded)
    _sample_spaces(metrics, deployment.active)
    if deployment.active.engine is not None:
        _sample_store(metrics, deployment.active.engine)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics.number("recsys_worker_cpu_seconds").value = usage.ru_utime + usage.ru_stime
    with open("/proc/self/statm", encoding="ascii") as file:
        metrics.number("recsys_worker_memory_bytes").value = int(file.read().split()[1]) * _PAGE


def _sample_spaces(metrics: WorkerMetrics, loaded: LoadedBundle) -> None:
    retriever: Any = loaded.source if loaded.engine is None else loaded.engine.snapshot.retriever
    spaces: Mapping[str, Any] = getattr(retriever, "spaces", {})
    for name, space in spaces.items():
        counts = getattr(space.index, "counts", None)  # of an index that changes
        metrics.number("recsys_items", name).value = len(space) if counts is None else counts.alive
        metrics.number("recsys_delta_items", name).value = 0 if counts is None else counts.fresh
        metrics.number("recsys_hidden_items", name).value = 0 if counts is None else counts.hidden
    audit = getattr(retriever, "audit", None)
    for window in () if audit is None else audit.figures().windows:
        recall = metrics.number("recsys_recall", window.label, str(window.kind))
        recall.value = window.recall


def _sample_store(metrics: WorkerMetrics, engine: LiveEngine) -> None:
    metrics.number("recsys_snapshot_watermark").value = engine.snapshot.watermark
    try:
        metrics.number("recsys_store_watermark").value = engine.store.watermark
        metrics.number("recsys_store_bytes").value = engine.store.size()
        metrics.number("recsys_store_up").value = 1
    except StoreError:
        metrics.number("recsys_store_up").value = 0


def _created(loaded: LoadedBundle) -> float:
    if loaded.bundle is None:
        return 0.0
    return datetime.fromisoformat(loaded.bundle.manifest.created.replace("Z", "+00:00")).timestamp()
