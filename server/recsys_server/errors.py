"""The one table between the engine's error codes and gRPC statuses, read in both directions.

A status carries a ``google.rpc.ErrorInfo`` (domain ``recsys``, reason the code in upper case) and,
where one field is at fault, a ``google.rpc.BadRequest`` with its path; the client rebuilds the same
exception. An unexpected error is logged and hidden from the caller.
"""

from __future__ import annotations

import logging

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from recsys.errors import RecsysError, ServiceError

DOMAIN = "recsys"
MESSAGE_BYTES = 1024
"""Longer messages are cut: a status travels in headers, which gRPC limits to 8 KiB."""

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
}

_UNEXPECTED = "the service failed unexpectedly; its log holds the cause"
_log = logging.getLogger(__name__)


def to_status(error: Exception) -> Status:
    """The status of an error; an unexpected error is logged and hidden.

    Example:
        >>> from recsys.errors import UnknownIdError
        >>> to_status(UnknownIdError("no such user", field="query.user_id")).code
        5
    """
    if not isinstance(error, RecsysError):
        _log.error("unexpected error", exc_info=error)
        error = RecsysError(_UNEXPECTED)
    message, field = _cut(error.message), _cut(error.field)
    info = ErrorInfo(
        reason=error.code.upper(), domain=DOMAIN, metadata={"field": field} if field else {}
    )
    status = Status(code=STATUS_CODES[error.code].value[0], message=message)
    status.details.append(_packed(info))
    if field:
        path = field.replace("query.history[", "query.history.item_ids[")  # as in the proto
        path = path.replace("query.history_times", "query.history.times")
        fault = BadRequest.FieldViolation(field=path, description=message)
        status.details.append(_packed(BadRequest(field_violations=[fault])))
    return status


def from_status(status: Status) -> RecsysError:
    """The exception of a status: class, code, message and field as given to :func:`to_status`."""
    for detail in status.details:
        info = ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            kind = _KINDS.get(info.reason.lower(), ServiceError)
            return kind(status.message, field=info.metadata.get("field", ""))
    return ServiceError(f"the service answered status {status.code}: {status.message}")


def from_rpc_error(error: grpc.RpcError, address: str) -> RecsysError:
    """The exception of a failed call; a :class:`ServiceError` without an answer."""
    assert isinstance(error, grpc.Call)  # as every error of a call that was made is
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        status = None
    if status is not None:
        return from_status(status)
    code, details = error.code(), error.details()
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


def _packed(detail: ErrorInfo | BadRequest) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed


def _cut(text: str) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MESSAGE_BYTES:
        return raw.decode("utf-8")
    return raw[: MESSAGE_BYTES - 3].decode("utf-8", "ignore") + "..."


_KINDS: dict[str, type[RecsysError]] = {
    RecsysError.code: RecsysError,
    **{kind.code: kind for kind in RecsysError.__subclasses__()},
}
