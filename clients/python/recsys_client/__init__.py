"""A client of the retrieval service: requests in, candidates out, over gRPC.

Requests, responses and errors are plain classes; gRPC is imported when ``RecsysClient`` is first
used. ``recsys``, the engine, answers the same calls in-process with the same classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys_client.calls import RetrievalCalls
from recsys_client.errors import (
    BundleError,
    ConfigError,
    DataError,
    DownloadError,
    EncoderError,
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    RecsysError,
    ServiceError,
    StoreError,
    TrainingError,
    UnknownIdError,
)
from recsys_client.fusion import Fusion, ReciprocalRank, WeightedSum
from recsys_client.query import Query
from recsys_client.request import (
    IMAGE,
    MAX_K,
    TEXT,
    TWO_TOWER,
    Request,
    Seen,
    UnknownHistory,
)
from recsys_client.response import (
    Candidate,
    Explanation,
    Fallback,
    Response,
    SpaceExplanation,
)

if TYPE_CHECKING:
    from recsys_client.client import RecsysClient

__version__ = "0.1.0"
__all__ = [
    "IMAGE",
    "MAX_K",
    "TEXT",
    "TWO_TOWER",
    "BundleError",
    "Candidate",
    "ConfigError",
    "DataError",
    "DownloadError",
    "EncoderError",
    "Explanation",
    "Fallback",
    "Fusion",
    "InvalidRequestError",
    "NotFoundError",
    "OverloadedError",
    "Query",
    "ReciprocalRank",
    "RecsysClient",
    "RecsysError",
    "Request",
    "Response",
    "RetrievalCalls",
    "Seen",
    "ServiceError",
    "StoreError",
    "SpaceExplanation",
    "TrainingError",
    "UnknownHistory",
    "UnknownIdError",
    "WeightedSum",
]


def __getattr__(name: str) -> object:
    """``RecsysClient``, imported on first use, since gRPC takes most of the import's time."""
    if name == "RecsysClient":
        from recsys_client.client import RecsysClient

        return RecsysClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
