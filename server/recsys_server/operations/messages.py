"""The state of a service as messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recsys.version import __version__
from recsys_client.pb.recsys.v1 import operations_pb2 as pb
from recsys_server.operations.alerts import ALERTS

Labels = tuple[str, ...]
Gauges = dict[str, dict[Labels, float]]

_STATES = {
    "starting": pb.WORKER_STATE_STARTING,
    "ready": pb.WORKER_STATE_READY,
    "ended": pb.WORKER_STATE_ENDED,
}
_SEVERITIES = {"warning": pb.ALERT_SEVERITY_WARNING, "critical": pb.ALERT_SEVERITY_CRITICAL}
_ROLES = ("active", "canary")


def status_message(state: Mapping[str, Any], backend: str) -> pb.GetStatusResponse:
    """The message of the answer "status" of a service's record.

    Args:
        state: The answer.
        backend: Database of the store, or "" without one.
    """
    workers = [(each, _gauges(each["numbers"])) for each in state["workers"]]
    gauges = [found for _, found in workers if found]
    active, canary = (_bundle(gauges, role) for role in _ROLES)
    # A worker states its version before its first gauges.
    versions = [each["version"] for each in state["workers"] if each["version"]]
    if active is None and versions:
        active = pb.ServedBundle(version=versions[0], share=1.0)
    if active is not None:
        active.workers = versions.count(active.version)

    def largest(name: str) -> int:
        return int(max((each[name].get(("active",), 0) for each in gauges), default=0))

    return pb.GetStatusResponse(
        version=__version__,
        started_at=int(state["started"]),
        uptime_seconds=max(0.0, state["now"] - state["started"]),
        active=active,
        canary=canary,
        workers=[_worker(each, found) for each, found in workers],
        workers_replaced=state["replaced"],
        store=_store(gauges, backend) if backend else None,
        indexes=list(_indexes(gauges)),
        audits=list(_audits(gauges)),
        items=largest("recsys_catalogue_items"),
        users=largest("recsys_users"),
        interactions=largest("recsys_interactions"),
        services=list(_services(state["workers"])),
        alerts=list(_alerts(state["alerts"])),
    )


def _gauges(numbers: Iterable[Sequence[Any]]) -> Gauges:
    found: Gauges = defaultdict(dict)
    for name, labels, value in numbers:
        found[name][tuple(labels)] = value
    return found


def _bundle(gauges: Sequence[Gauges], role: str) -> pb.ServedBundle | None:
    """The bundle of a role that most workers have; None without one."""
    versions = [
        version
        for each in gauges
        for (found, version), _ in each["recsys_bundle_info"].items()
        if found == role
    ]
    if not versions:
        return None
    version = max(set(versions), key=lambda each: (versions.count(each), each))
    of_version = [each for each in gauges if (role, version) in each["recsys_bundle_info"]]
    share = of_version[0]["recsys_canary_share"].get((), 0.0)
    return pb.ServedBundle(
        version=version,
        created_at=int(of_version[0]["recsys_bundle_created_seconds"].get((role,), 0)),
        share=share if role == "canary" else 1 - share,
        workers=len(of_version),
    )


def _worker(worker: Mapping[str, Any], gauges: Gauges) -> pb.WorkerStatus:
    def number(name: str, *labels: str) -> float:
        return gauges[f"recsys_{name}"].get(labels, 0)

    return pb.WorkerStatus(
        number=worker["number"],
        process_id=worker["process_id"],
        state=_STATES[worker["state"]],
        started_at=int(worker["started_at"]),
        memory_bytes=int(number("worker_memory_bytes")),
        cpu_seconds=number("worker_cpu_seconds"),
        calls=int(sum(gauges["recsys_calls"].values())),
        calls_in_flight=int(number("calls_in_flight")),
        bundle_version=worker["version"],
        watermark=int(number("snapshot_watermark", "active")),
        lag_changes=int(number("snapshot_lag_changes", "active")),
        lag_seconds=number("snapshot_lag_seconds", "active"),
        silent_seconds=worker["silent"],
    )


def _store(gauges: Sequence[Gauges], backend: str) -> pb.StoreStatus:
    def largest(name: str, *labels: str) -> int:
        return int(max((each[f"recsys_{name}"].get(labels, 0) for each in gauges), default=0))

    return pb.StoreStatus(
        backend=backend,
        bytes=largest("store_bytes"),
        watermark=largest("store_watermark"),
        readable=all(each["recsys_store_up"].get((), 1) for each in gauges),
        changes_waiting=largest("changes_waiting", "active"),
        changes_refused=largest("changes_refused", "active"),
    )


def _indexes(gauges: Sequence[Gauges]) -> Iterable[pb.IndexStatus]:
    for labels in sorted({key for each in gauges for key in each["recsys_items"]}):
        found = max(gauges, key=lambda each: each["recsys_items"].get(labels, -1))
        yield pb.IndexStatus(
            bundle=labels[0],
            space=labels[1],
            items=int(found["recsys_items"][labels]),
            delta_items=int(found["recsys_delta_items"].get(labels, 0)),
            hidden_items=int(found["recsys_hidden_items"].get(labels, 0)),
            built_at=int(found["recsys_index_built_seconds"].get(labels, 0)),
            recall_target=found["recsys_index_recall_target"].get(labels, 0.0),
        )


def _audits(gauges: Sequence[Gauges]) -> Iterable[pb.AuditStatus]:
    for labels in sorted({key for each in gauges for key in each["recsys_recall"]}):
        found = [each for each in gauges if labels in each["recsys_recall"]]
        yield pb.AuditStatus(
            bundle=labels[0],
            space=labels[1],
            kind=labels[2],
            recall=_mean(found, "recsys_recall", labels),
            recall_low=_mean(found, "recsys_recall_low", labels),
            recall_target=max(each["recsys_recall_target"].get(labels, 0.0) for each in found),
            samples=int(sum(each["recsys_recall_samples"].get(labels, 0) for each in found)),
            drifting=any(each["recsys_recall_drifting"].get(labels, 0) for each in found),
        )


def _mean(gauges: Sequence[Gauges], name: str, labels: Labels) -> float:
    """Mean of a gauge over workers, weighted by the samples of their audits."""
    weights = [each["recsys_recall_samples"].get(labels, 0.0) for each in gauges]
    values = [each[name].get(labels, 0.0) for each in gauges]
    total = sum(weights)
    return sum(one * other for one, other in zip(values, weights)) / total if total else 0.0


def _services(workers: Sequence[Mapping[str, Any]]) -> Iterable[pb.ServiceHealth]:
    names = dict.fromkeys(name for each in workers for name in each["health"])
    for name in names:
        faults = [each["fault"] for each in workers if each["health"].get(name) is False]
        yield pb.ServiceHealth(
            name=name,
            workers_serving=sum(
                each["state"] == "ready" and bool(each["health"].get(name)) for each in workers
            ),
            fault=next((each or "the worker is stopping" for each in faults), ""),
        )


def _alerts(active: Iterable[tuple[str, float]]) -> Iterable[pb.Alert]:
    since = dict(active)
    for rule in ALERTS:
        if rule.code in since:
            yield pb.Alert(
                code=rule.code,
                severity=_SEVERITIES[rule.severity],
                summary=rule.summary,
                action=rule.action,
                since=int(since[rule.code]),
            )
