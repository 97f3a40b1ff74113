"""The status of an error, by the table of ``recsys_client.statuses``."""

from __future__ import annotations

import logging
from datetime import timedelta

from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from recsys.errors import OverloadedError, RecsysError
from recsys_client.filters.messages import message_path
from recsys_client.statuses import DOMAIN, STATUS_CODES

MESSAGE_BYTES = 1024
"""Longer messages are cut: a status travels in headers, which gRPC limits to 8 KiB."""

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
    if isinstance(error, OverloadedError):
        retry = RetryInfo()
        retry.retry_delay.FromTimedelta(timedelta(seconds=error.retry_after))
        status.details.append(_packed(retry))
    if field:
        path = field.replace("query.history[", "query.history.item_ids[")  # as in the proto
        path = path.replace("query.history_times", "query.history.times")
        path = message_path(path) if path.startswith("filter") else path
        fault = BadRequest.FieldViolation(field=path, description=message)
        status.details.append(_packed(BadRequest(field_violations=[fault])))
    return status


def _packed(detail: ErrorInfo | BadRequest | RetryInfo) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed


def _cut(text: str) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MESSAGE_BYTES:
        return raw.decode("utf-8")
    return raw[: MESSAGE_BYTES - 3].decode("utf-8", "ignore") + "..."
