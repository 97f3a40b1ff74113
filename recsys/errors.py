"""The exceptions of the engine, with stable codes.

    RecsysError           internal
    ConfigError           config_invalid
    DataError             data_invalid
    InvalidRequestError   request_invalid
    UnknownIdError        unknown_id
    NotFoundError         not_found
    BundleError           bundle_corrupt
    EncoderError          encoder_failed
    TrainingError         training_failed
    DownloadError         download_failed
    ServiceError          service_failed

A message states the expectation, the actual value and the remedy. The codes are part of the public
contract: the service maps each of them to a gRPC status.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice


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

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class ConfigError(RecsysError):
    """A configuration that cannot be used."""

    code = "config_invalid"


class DataError(RecsysError):
    """A table, file or vector that cannot be used."""

    code = "data_invalid"


class InvalidRequestError(RecsysError):
    """A call whose arguments are out of range or contradict each other."""

    code = "request_invalid"


class UnknownIdError(RecsysError):
    """An id that is neither in the catalogue nor in the log."""

    code = "unknown_id"


class NotFoundError(RecsysError):
    """A space, bundle, version or data set that does not exist."""

    code = "not_found"


class BundleError(RecsysError):
    """A bundle whose files do not match its manifest."""

    code = "bundle_corrupt"


class EncoderError(RecsysError):
    """An encoder that cannot be built, trained or used."""

    code = "encoder_failed"


class TrainingError(RecsysError):
    """A training run that diverged or degenerated."""

    code = "training_failed"


class DownloadError(RecsysError):
    """A download that failed, or a file with a wrong checksum."""

    code = "download_failed"


class ServiceError(RecsysError):
    """A service that did not start, answer or stop as expected."""

    code = "service_failed"


def suggestion(value: object, known: Iterable[str]) -> str:
    """The part of a message that names the nearest known name, or "".

    Example:
        >>> suggestion("itemid", ["user_id", "item_id"])
        "; did you mean 'item_id'?"
    """
    if not isinstance(value, str) or len(value) > 64:
        return ""
    near = difflib.get_close_matches(value, islice(known, 50_000), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""
