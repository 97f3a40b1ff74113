"""Operations of ``recsys.v1.OperationsService`` that show the state of a service."""

from __future__ import annotations

from collections.abc import Mapping

from recsys_client.operations.operation import Operation, made
from recsys_client.pb.recsys.v1 import operations_pb2 as pb
from recsys_client.records.administration import TokenRecord
from recsys_client.records.figures import MethodFigures, MinuteFigures, SlowRequest, SlowRequests
from recsys_client.records.service_status import (
    Alert,
    AuditStatus,
    IndexStatus,
    ServedBundle,
    ServiceHealth,
    ServiceStatus,
    Severity,
    StoreStatus,
    WorkerState,
    WorkerStatus,
)

SERVICE = "/recsys.v1.OperationsService/"
_STATES: Mapping[int, WorkerState] = {
    pb.WORKER_STATE_STARTING: "starting",
    pb.WORKER_STATE_READY: "ready",
    pb.WORKER_STATE_ENDED: "ended",
}
_SEVERITIES: Mapping[int, Severity] = {
    pb.ALERT_SEVERITY_WARNING: "warning",
    pb.ALERT_SEVERITY_CRITICAL: "critical",
}


def status() -> Operation[ServiceStatus]:
    """The state of the service."""
    message = pb.GetStatusRequest()
    return Operation(SERVICE + "GetStatus", message, pb.GetStatusResponse, _read_status)


def time_series(minutes: int) -> Operation[list[MinuteFigures]]:
    """Figures of the last minutes."""
    message = made(lambda: pb.GetTimeSeriesRequest(minutes=minutes))
    return Operation(
        SERVICE + "GetTimeSeries",
        message,
        pb.GetTimeSeriesResponse,
        lambda response: [_read_minute(each) for each in response.minutes],
    )


def slow_requests(limit: int) -> Operation[SlowRequests]:
    """The last slow requests."""
    message = made(lambda: pb.ListSlowRequestsRequest(limit=limit))
    return Operation(SERVICE + "ListSlowRequests", message, pb.ListSlowRequestsResponse, _read_slow)


def _read_status(message: pb.GetStatusResponse) -> ServiceStatus:
    return ServiceStatus(
        message.version,
        message.started_at,
        message.uptime_seconds,
        _read_bundle(message.active),
        _read_bundle(message.canary) if message.HasField("canary") else None,
        tuple(map(_read_worker, message.workers)),
        message.workers_replaced,
        _read_store(message.store) if message.HasField("store") else None,
        tuple(map(_read_index, message.indexes)),
        tuple(map(_read_audit, message.audits)),
        message.items,
        message.users,
        message.interactions,
        tuple(
            ServiceHealth(each.name, each.workers_serving, each.fault) for each in message.services
        ),
        tuple(map(_read_alert, message.alerts)),
        read_token(message.caller) if message.HasField("caller") else None,
    )


def read_token(message: pb.Token) -> TokenRecord:
    """A token without its secret."""
    return TokenRecord(
        message.name,
        tuple(message.scopes),
        message.created_at,
        message.expires_at or None,
        message.rate,
        message.expired,
        message.current,
    )


def _read_bundle(message: pb.ServedBundle) -> ServedBundle:
    return ServedBundle(message.version, message.created_at, message.share, message.workers)


def _read_worker(message: pb.WorkerStatus) -> WorkerStatus:
    return WorkerStatus(
        message.number,
        message.process_id,
        _STATES.get(message.state, "unknown"),
        message.started_at,
        message.memory_bytes,
        message.cpu_seconds,
        message.calls,
        message.calls_in_flight,
        message.bundle_version,
        message.watermark,
        message.lag_changes,
        message.lag_seconds,
        message.silent_seconds,
    )


def _read_store(message: pb.StoreStatus) -> StoreStatus:
    return StoreStatus(
        message.backend,
        message.bytes,
        message.watermark,
        message.readable,
        message.changes_waiting,
        message.changes_refused,
    )


def _read_index(message: pb.IndexStatus) -> IndexStatus:
    return IndexStatus(
        message.bundle,
        message.space,
        message.items,
        message.delta_items,
        message.hidden_items,
        message.built_at,
        message.recall_target,
    )


def _read_audit(message: pb.AuditStatus) -> AuditStatus:
    return AuditStatus(
        message.bundle,
        message.space,
        message.kind,
        message.recall,
        message.recall_low,
        message.recall_target,
        message.samples,
        message.drifting,
    )


def _read_alert(message: pb.Alert) -> Alert:
    severity = _SEVERITIES.get(message.severity, "unknown")
    return Alert(message.code, severity, message.summary, message.action, message.since)


def _read_minute(message: pb.MinuteFigures) -> MinuteFigures:
    return MinuteFigures(
        message.begins_at,
        message.seconds,
        message.calls,
        dict(message.errors),
        message.refused,
        message.latency_p50_seconds,
        message.latency_p99_seconds,
        message.interactions,
        tuple(
            MethodFigures(
                each.method,
                each.calls,
                dict(each.errors),
                each.latency_p50_seconds,
                each.latency_p99_seconds,
            )
            for each in message.methods
        ),
    )


def _read_slow(message: pb.ListSlowRequestsResponse) -> SlowRequests:
    return SlowRequests(
        message.threshold_seconds,
        tuple(
            SlowRequest(
                each.ended_at,
                each.method,
                each.status,
                each.seconds,
                each.caller,
                each.request_id,
                each.worker,
            )
            for each in message.requests
        ),
    )
