"""Query in, candidates out: joins the catalogue, the log, the towers, the encoders and the spaces.

It takes and gives ids; everything below it works on rows.
"""

from recsys.retrieval.contents import PictureEncoder, TermsEncoder
from recsys.retrieval.fusion import Fusion, ReciprocalRank, WeightedSum
from recsys.retrieval.query import Candidate, Query, Request, Retrieved, Seen, UnknownHistory
from recsys.retrieval.retriever import QueryEncoder, Retriever
from recsys.retrieval.space import IMAGE, TEXT, TWO_TOWER, Space

__all__ = [
    "IMAGE",
    "TEXT",
    "TWO_TOWER",
    "Candidate",
    "Fusion",
    "PictureEncoder",
    "Query",
    "QueryEncoder",
    "ReciprocalRank",
    "Request",
    "Retrieved",
    "Retriever",
    "Seen",
    "Space",
    "TermsEncoder",
    "UnknownHistory",
    "WeightedSum",
]
