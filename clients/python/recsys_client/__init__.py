"""A client of the retrieval service: requests in, candidates out, over gRPC.

Requests, responses and errors are plain classes; gRPC is imported when ``RecsysClient`` is first
used. ``recsys``, the engine, answers the same calls in-process with the same classes.
"""

from __future__ import annotations

from importlib import import_module
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
from recsys_client.records import (
    CatalogItem,
    Description,
    History,
    Interaction,
    Item,
    ItemPage,
    WriteReceipt,
)
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
    from recsys_client.aio import AsyncRecsysClient
    from recsys_client.channel import Tls
    from recsys_client.client import RecsysClient

_LAZY = {"AsyncRecsysClient": "aio", "RecsysClient": "client", "Tls": "channel"}
"""Modules of the classes that are imported on first use, since gRPC takes most of the time."""

__version__ = "0.1.0"
__all__ = [
    "AsyncRecsysClient",
    "CatalogItem",
    "Description",
    "History",
    "Interaction",
    "Item",
    "ItemPage",
    "Tls",
    "WriteReceipt",
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
    """The classes that need gRPC, imported on first use."""
    if name in _LAZY:
        return getattr(import_module(f"recsys_client.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
