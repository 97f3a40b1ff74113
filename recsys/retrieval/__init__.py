"""Retrieval: a request in, a response with candidates out, over the spaces of a catalogue.

It takes and gives ids; everything below it works on rows.
"""

from recsys.retrieval.codec import (
    RequestField,
    request_from_json,
    request_to_json,
    response_to_json,
)
from recsys.retrieval.fusion import Fusion, ReciprocalRank, WeightedSum
from recsys.retrieval.query_vectors import ContentEncoder, QueryEncoder
from recsys.retrieval.request import Candidate, Query, Request, Response, Seen, UnknownHistory
from recsys.retrieval.retriever import Retriever
from recsys.retrieval.space import IMAGE, TEXT, TWO_TOWER, Space

__all__ = [
    "IMAGE",
    "TEXT",
    "TWO_TOWER",
    "Candidate",
    "ContentEncoder",
    "Fusion",
    "Query",
    "QueryEncoder",
    "ReciprocalRank",
    "Request",
    "RequestField",
    "Response",
    "Retriever",
    "Seen",
    "Space",
    "UnknownHistory",
    "WeightedSum",
    "request_from_json",
    "request_to_json",
    "response_to_json",
]
