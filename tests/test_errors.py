"""The exception tree: a stable code per class, and the field of the error."""

from __future__ import annotations

import inspect
import pickle

from recsys import errors
from recsys.errors import RecsysError, UnknownIdError

KINDS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, RecsysError)
]
CODES = {
    "RecsysError": "internal",
    "ConfigError": "config_invalid",
    "DataError": "data_invalid",
    "InvalidRequestError": "request_invalid",
    "UnknownIdError": "unknown_id",
    "NotFoundError": "not_found",
    "OverloadedError": "overloaded",
    "BundleError": "bundle_corrupt",
    "EncoderError": "encoder_failed",
    "TrainingError": "training_failed",
    "DownloadError": "download_failed",
    "ServiceError": "service_failed",
    "StoreError": "store_unavailable",
    "UnauthenticatedError": "unauthenticated",
    "PermissionDeniedError": "permission_denied",
}


def test_the_codes_are_stable() -> None:
    assert {kind.__name__: kind.code for kind in KINDS} == CODES
    assert len(set(CODES.values())) == len(CODES)


def test_an_error_carries_its_message_and_field() -> None:
    error = UnknownIdError("no such item", field="query.item_id")
    assert (str(error), error.message, error.field) == (
        "no such item",
        "no such item",
        "query.item_id",
    )
    assert RecsysError("x").field == ""


def test_an_error_survives_pickling() -> None:
    """Processes exchange exceptions by pickle."""
    error = pickle.loads(pickle.dumps(UnknownIdError("no such item", field="query.item_id")))
    assert (type(error), str(error), error.field) == (
        UnknownIdError,
        "no such item",
        "query.item_id",
    )
