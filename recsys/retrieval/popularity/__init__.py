"""How often and how recently items were interacted with, and the orders that follow from it."""

from recsys.retrieval.popularity.orders import ItemOrder
from recsys.retrieval.popularity.popular import Counts, Popular, Popularity
from recsys.retrieval.popularity.statistics import ItemStatistics
from recsys.retrieval.popularity.totals import InteractionTotals

__all__ = ["Counts", "InteractionTotals", "ItemOrder", "ItemStatistics", "Popular", "Popularity"]
