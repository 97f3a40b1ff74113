"""The search log: terms of interactions, counted, without the users who searched."""

from recsys.store.searches.log import PARTS, SearchLog, SearchLogRequest
from recsys.store.searches.recorded import recorded_searches
from recsys.store.searches.training import training_searches

__all__ = [
    "PARTS",
    "SearchLog",
    "SearchLogRequest",
    "recorded_searches",
    "training_searches",
]
