"""The state of a running service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recsys_client.records.administration import TokenRecord

WorkerState = Literal["starting", "ready", "ended", "unknown"]
Severity = Literal["warning", "critical", "unknown"]


@dataclass(frozen=True)
class ServedBundle:
    """A bundle that answers.

    Attributes:
        version: Version.
        created_at: Time of its publication in seconds since 1970; 0 where it is unknown.
        share: Share of the users that it answers, from 0 to 1.
        workers: Number of workers that answer with it.

    Example:
        >>> ServedBundle("v1", 1704067200, share=1.0, workers=2).version
        'v1'
    """

    version: str
    created_at: int = 0
    share: float = 1.0
    workers: int = 0


@dataclass(frozen=True)
class WorkerStatus:
    """A worker process.

    Attributes:
        number: Number of the worker, from 0; a replacement has the number of the dead worker.
        process_id: Id of its process; 0 where there is none.
        state: "starting", "ready", or "ended" before it is replaced.
        started_at: Time at which its process was started, in seconds since 1970.
        memory_bytes: Resident memory.
        cpu_seconds: Processor time that it has used.
        calls: Number of calls that it has ended.
        calls_in_flight: Number of calls that wait, run or are being answered.
        bundle_version: Version of its active bundle.
        watermark: Sequence number of the last change of the store that its answers include.
        lag_changes: Number of changes that they do not include yet.
        lag_seconds: Seconds since the first of these changes was seen.
        silent_seconds: Seconds since its last report.

    Example:
        >>> WorkerStatus(0, 4711, "ready").memory_bytes
        0
    """

    number: int
    process_id: int
    state: WorkerState
    started_at: int = 0
    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    calls: int = 0
    calls_in_flight: int = 0
    bundle_version: str = ""
    watermark: int = 0
    lag_changes: int = 0
    lag_seconds: float = 0.0
    silent_seconds: float = 0.0


@dataclass(frozen=True)
class StoreStatus:
    """The store of a service.

    Attributes:
        backend: "sqlite" or "postgresql".
        bytes: Size.
        watermark: Number of changes that were ever recorded.
        readable: Whether every worker can read it.
        changes_waiting: Number of changes of items that wait for the encoders, of the slowest
            worker.
        changes_refused: Number of changes of items that the active bundle cannot include.

    Example:
        >>> StoreStatus("sqlite", bytes=4096, watermark=7, readable=True).changes_waiting
        0
    """

    backend: str
    bytes: int
    watermark: int
    readable: bool
    changes_waiting: int = 0
    changes_refused: int = 0


@dataclass(frozen=True)
class IndexStatus:
    """The index of a space.

    Attributes:
        bundle: "active" or "canary".
        space: Name of the space.
        items: Number of items that can be found.
        delta_items: Number of items that were added or changed since it was built.
        hidden_items: Number of its rows that are deleted or replaced.
        built_at: Time at which it was built, in seconds since 1970; 0 where it is unknown.
        recall_target: Recall that it is tuned for; 1 for an exact one, 0 where it is unknown.

    Example:
        >>> IndexStatus("active", "text", items=40).delta_items
        0
    """

    bundle: str
    space: str
    items: int
    delta_items: int = 0
    hidden_items: int = 0
    built_at: int = 0
    recall_target: float = 0.0


@dataclass(frozen=True)
class AuditStatus:
    """The recall of a sample of the searches of one kind.

    Attributes:
        bundle: "active" or "canary".
        space: Name of the space.
        kind: Kind of search: "plain", "excluded", "filtered" or "delta".
        recall: Share of the exact candidates that were found.
        recall_low: Lower end of its 95% interval.
        recall_target: Recall that is promised; 0 where none is.
        samples: Number of searches in the windows.
        drifting: Whether the recall of a worker is below its target by more than the tolerance.

    Example:
        >>> AuditStatus("active", "text", "plain", recall=0.99, samples=500).drifting
        False
    """

    bundle: str
    space: str
    kind: str
    recall: float
    recall_low: float = 0.0
    recall_target: float = 0.0
    samples: int = 0
    drifting: bool = False


@dataclass(frozen=True)
class ServiceHealth:
    """The health of one gRPC service.

    Attributes:
        name: Full name, such as "recsys.v1.RetrievalService".
        workers_serving: Number of workers that report SERVING.
        fault: Reason why a worker does not; "" where all do.

    Example:
        >>> ServiceHealth("recsys.v1.CatalogService", 2).fault
        ''
    """

    name: str
    workers_serving: int
    fault: str = ""


@dataclass(frozen=True)
class Alert:
    """A condition that needs an operator.

    Attributes:
        code: Name of the alert, as in Prometheus.
        severity: "warning" to look at it today, "critical" where callers are affected.
        summary: What is wrong.
        action: What to do.
        since: Time since which the condition holds, in seconds since 1970.

    Example:
        >>> Alert("SnapshotLags", "warning", "A worker lags.", "Look at the store.").since
        0
    """

    code: str
    severity: Severity
    summary: str
    action: str
    since: int = 0


@dataclass(frozen=True)
class ServiceStatus:
    """The state of a whole service.

    Attributes:
        version: Version of the software.
        started_at: Time at which the service was started, in seconds since 1970.
        uptime_seconds: Seconds since then.
        active: Active bundle.
        canary: Canary, or None.
        workers: Workers, by number.
        workers_replaced: Number of workers that have died and were replaced.
        store: Store, or None.
        indexes: Index of each space of the bundles.
        audits: Running audit of the recall; empty where it is off.
        items: Number of items.
        users: Number of users with a history.
        interactions: Number of interactions in the histories of all users.
        services: Health of each gRPC service.
        alerts: Conditions that need an operator, the most severe first.
        caller: Token of the call, or None in a service without tokens.

    Example:
        >>> ServiceStatus("0.1.0", 1704067200, 60.0, ServedBundle("v1")).alerts
        ()
    """

    version: str
    started_at: int
    uptime_seconds: float
    active: ServedBundle
    canary: ServedBundle | None = None
    workers: tuple[WorkerStatus, ...] = ()
    workers_replaced: int = 0
    store: StoreStatus | None = None
    indexes: tuple[IndexStatus, ...] = ()
    audits: tuple[AuditStatus, ...] = ()
    items: int = 0
    users: int = 0
    interactions: int = 0
    services: tuple[ServiceHealth, ...] = ()
    alerts: tuple[Alert, ...] = ()
    caller: TokenRecord | None = None

    def may(self, service: str, scope: str) -> bool:
        """Whether the caller has a scope of a service, such as "write" of "catalog"."""
        return self.caller is None or self.caller.allows(service, scope)
