"""Sources of candidates."""

from recsys.feed.sources.given import External, Followed, Pinned
from recsys.feed.sources.neighbours import SearchTerms, SimilarItems, TwoTower
from recsys.feed.sources.orders import Fresh, Popular, Trending

__all__ = [
    "External",
    "Followed",
    "Fresh",
    "Pinned",
    "Popular",
    "SearchTerms",
    "SimilarItems",
    "Trending",
    "TwoTower",
]
