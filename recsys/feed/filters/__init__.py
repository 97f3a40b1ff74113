"""Filters: each keeps some candidates, and says why it removes the others."""

from recsys.feed.filters.attributes import Available, MaximumAge, Predicate
from recsys.feed.filters.duplicates import SamePicture, SimilarVector
from recsys.feed.filters.personal import Blocked, Seen

__all__ = [
    "Available",
    "Blocked",
    "MaximumAge",
    "Predicate",
    "SamePicture",
    "Seen",
    "SimilarVector",
]
