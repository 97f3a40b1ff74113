"""One table from the codes of errors to what a page says and which status it has."""

from __future__ import annotations

from dataclasses import dataclass

from recsys_client.errors import OverloadedError, RecsysError


@dataclass(frozen=True)
class Fault:
    """An error as a page shows it.

    Attributes:
        status: HTTP status.
        code: Stable code of the error.
        title: What happened.
        message: The error in the words of the service.
        advice: What the user can do.
        retry_seconds: Seconds after which the page loads itself again; 0 for never.

    Example:
        >>> Fault(404, "not_found", "Not found", "no item 'a'", "Check the id.").retry_seconds
        0
    """

    status: int
    code: str
    title: str
    message: str
    advice: str
    retry_seconds: int = 0


@dataclass(frozen=True)
class _Kind:
    status: int
    title: str
    advice: str
    retry_seconds: int = 0


_CHECK_SERVICE = "Check that the service runs and that the console was started with its address."
_KINDS = {
    "request_invalid": _Kind(400, "This cannot be answered", "Correct the value and try again."),
    "data_invalid": _Kind(400, "This cannot be used", "Correct the value and try again."),
    "config_invalid": _Kind(
        400, "The service is not set up for this", "Change the settings of the service."
    ),
    "unknown_id": _Kind(404, "Unknown id", "Check the id: upper and lower case differ."),
    "not_found": _Kind(404, "Not found", "Check the address, or choose a page on the left."),
    "form_expired": _Kind(403, "The form is too old", "Open the page again and repeat it."),
    "permission_denied": _Kind(
        403, "Not allowed", "Sign in with a token that has the scope of this action."
    ),
    "unauthenticated": _Kind(401, "Sign in", "Sign in with a token of this service."),
    "overloaded": _Kind(
        503, "The service is busy", "The page loads again by itself in a few seconds.", 3
    ),
    "service_failed": _Kind(503, "The service does not answer", _CHECK_SERVICE, 5),
    "bundle_corrupt": _Kind(
        409, "The bundle cannot be served", "Nothing was changed. Choose another bundle."
    ),
    "store_unavailable": _Kind(
        503, "The store cannot be reached", "Nothing was changed. Check the store's database.", 5
    ),
}
_OTHER = _Kind(500, "The service failed", "Its log has the details.")


def fault_of(error: RecsysError) -> Fault:
    """How a page shows an error."""
    kind = _KINDS.get(error.code, _OTHER)
    retry = kind.retry_seconds
    if isinstance(error, OverloadedError):
        retry = max(retry, round(error.retry_after))
    return Fault(kind.status, error.code, kind.title, error.message, kind.advice, retry)
