"""Retrieval: a request in, a response with candidates out, over the spaces of a catalogue.

It takes and gives ids; everything below it works on rows.
"""

from recsys.retrieval.codec import (
    RequestField,
    request_from_json,
    request_to_json,
    response_to_json,
)
from recsys.retrieval.live_space import LiveSpace
from recsys.retrieval.query_vectors import ContentEncoder, QueryEncoder
from recsys.retrieval.retriever import Retriever
from recsys.retrieval.space import Space
from recsys.retrieval.space_writer import SpacesSnapshot, SpaceWriter
from recsys_client.calls import RetrievalCalls
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
from recsys_client.response import Candidate, Explanation, Response, SpaceExplanation

__all__ = [
    "IMAGE",
    "MAX_K",
    "TEXT",
    "TWO_TOWER",
    "Candidate",
    "ContentEncoder",
    "Explanation",
    "Fusion",
    "LiveSpace",
    "Query",
    "QueryEncoder",
    "ReciprocalRank",
    "Request",
    "RequestField",
    "Response",
    "RetrievalCalls",
    "Retriever",
    "Seen",
    "Space",
    "SpaceExplanation",
    "SpaceWriter",
    "SpacesSnapshot",
    "UnknownHistory",
    "WeightedSum",
    "request_from_json",
    "request_to_json",
    "response_to_json",
]
