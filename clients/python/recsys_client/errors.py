"""The exceptions of the engine, with stable codes.

A message states the expectation, the actual value and the remedy. The codes are part of the public
contract: the service maps each of them to a gRPC status.
"""

from __future__ import annotations


class RecsysError(Exception):
    """Base class of all errors that the engine raises.

    Args:
        message: Expectation, actual value and remedy.
        field: Path of the invalid field (``"query.user_id"``, ``"train.batch_size"``), or "".

    Example:
        >>> UnknownIdError("no such item", field="item_id").code
        'unknown_id'
    """

    code = "internal"

    def __init_subclass__(cls, code: str | None = None) -> None:
        cls.code = code or cls.code

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class ConfigError(RecsysError, code="config_invalid"):
    """A configuration that cannot be used."""


class DataError(RecsysError, code="data_invalid"):
    """A table, file or vector that cannot be used."""


class InvalidRequestError(RecsysError, code="request_invalid"):
    """A call whose arguments are out of range or contradict each other."""


class UnknownIdError(RecsysError, code="unknown_id"):
    """An id that is neither in the catalogue nor in the log."""


class NotFoundError(RecsysError, code="not_found"):
    """A space, bundle, version or data set that does not exist."""


class BundleError(RecsysError, code="bundle_corrupt"):
    """A bundle whose files do not match its manifest, or that cannot be read or written."""


class EncoderError(RecsysError, code="encoder_failed"):
    """An encoder that cannot be built, trained or used."""


class TrainingError(RecsysError, code="training_failed"):
    """A training run that diverged or degenerated."""


class DownloadError(RecsysError, code="download_failed"):
    """A download that failed, or a file with a wrong checksum."""


class ServiceError(RecsysError, code="service_failed"):
    """A service that did not start, answer or stop as expected."""


class StoreError(RecsysError, code="store_unavailable"):
    """A store that cannot be read or written now; a refused write changed nothing."""


class OverloadedError(RecsysError, code="overloaded"):
    """A service that has more to do than it can answer in time; it did nothing of the call.

    Args:
        message: As of every error.
        field: As of every error.
        retry_after: Seconds after which a retry may succeed.

    Example:
        >>> OverloadedError("1,000 calls wait", retry_after=0.5).retry_after
        0.5
    """

    def __init__(self, message: str, *, field: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after


class UnauthenticatedError(RecsysError, code="unauthenticated"):
    """A call without a token or certificate that the service accepts."""


class PermissionDeniedError(RecsysError, code="permission_denied"):
    """A call whose token lacks the scope of the method."""
