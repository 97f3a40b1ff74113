"""The one table between the engine's error codes and gRPC statuses, read in both directions.

A status carries a ``google.rpc.ErrorInfo`` (domain ``recsys``, reason the code in upper case) and,
where one field is at fault, a ``google.rpc.BadRequest`` with its path; the client rebuilds the same
exception. ``recsys_server.statuses`` writes statuses.
"""

from __future__ import annotations

from typing import Any

import grpc
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from recsys_client.errors import OverloadedError, RecsysError, ServiceError

DOMAIN = "recsys"

STATUS_CODES: dict[str, grpc.StatusCode] = {
    "internal": grpc.StatusCode.INTERNAL,
    "config_invalid": grpc.StatusCode.FAILED_PRECONDITION,
    "data_invalid": grpc.StatusCode.FAILED_PRECONDITION,
    "request_invalid": grpc.StatusCode.INVALID_ARGUMENT,
    "unknown_id": grpc.StatusCode.NOT_FOUND,
    "not_found": grpc.StatusCode.NOT_FOUND,
    "bundle_corrupt": grpc.StatusCode.DATA_LOSS,
    "encoder_failed": grpc.StatusCode.INTERNAL,
    "training_failed": grpc.StatusCode.INTERNAL,
    "download_failed": grpc.StatusCode.UNAVAILABLE,
    "service_failed": grpc.StatusCode.UNAVAILABLE,
    "store_unavailable": grpc.StatusCode.UNAVAILABLE,
    "overloaded": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "permission_denied": grpc.StatusCode.PERMISSION_DENIED,
}


def from_status(status: Status) -> RecsysError:
    """The exception of a status: class, code, message and field of the error in the service."""
    info, retry = ErrorInfo(), RetryInfo()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(retry)
    if info.domain == DOMAIN:
        kind, field = _KINDS.get(info.reason.lower(), ServiceError), info.metadata.get("field", "")
        if kind is OverloadedError:
            seconds = retry.retry_delay.ToTimedelta().total_seconds()
            return OverloadedError(status.message, field=field, retry_after=seconds)
        return kind(status.message, field=field)
    return ServiceError(f"the service answered status {status.code}: {status.message}")


def from_rpc_error(error: grpc.RpcError, address: str) -> RecsysError:
    """The exception of a failed call; a :class:`ServiceError` without an answer."""
    call: Any = error  # as every error of a call that was made is
    try:
        status = rpc_status.from_call(call)
    except ValueError:
        status = None
    if status is not None:
        return from_status(status)
    code, details = call.code(), call.details()
    if code is grpc.StatusCode.UNAVAILABLE:
        return ServiceError(
            f"no service answered at {address}; check that it runs and that the address is right"
            f" ({details})"
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return ServiceError(
            f"no answer from {address} in time; allow more time or send less per call"
        )
    return ServiceError(f"{address} answered {code.name}: {details}")


_KINDS: dict[str, type[RecsysError]] = {
    RecsysError.code: RecsysError,
    **{kind.code: kind for kind in RecsysError.__subclasses__()},
}
