"""Scoring stages: the plain blend, and the learned ranker of a bundle."""

from recsys.feed.scoring.blend import Blend
from recsys.feed.scoring.learned import LearnedRanker

__all__ = ["Blend", "LearnedRanker"]
