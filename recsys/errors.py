"""The exceptions of the engine, which ``recsys_client.errors`` defines, and name suggestions.

The service's client raises the same classes and is installed without the engine.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

from recsys_client.errors import (
    BundleError,
    ConfigError,
    DataError,
    DownloadError,
    EncoderError,
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RecsysError,
    ServiceError,
    StoreError,
    TrainingError,
    UnauthenticatedError,
    UnknownIdError,
)

__all__ = [
    "BundleError",
    "ConfigError",
    "DataError",
    "DownloadError",
    "EncoderError",
    "InvalidRequestError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "RecsysError",
    "ServiceError",
    "StoreError",
    "TrainingError",
    "UnauthenticatedError",
    "UnknownIdError",
    "suggestion",
]


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
