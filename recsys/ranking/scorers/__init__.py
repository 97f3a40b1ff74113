"""Scorers: implementations of one interface, each saved without pickle."""

from recsys.ranking.scorers.api import Scorer
from recsys.ranking.scorers.boosted import BoostedScorer
from recsys.ranking.scorers.calibration import PlattCalibration, Reliability
from recsys.ranking.scorers.cross import CrossScorer
from recsys.ranking.scorers.ensemble import EnsembleScorer
from recsys.ranking.scorers.linear import LinearScorer
from recsys.ranking.scorers.pairs import SparseNetworkScorer, VectorNetworkScorer
from recsys.ranking.scorers.storage import load_scorer

__all__ = [
    "BoostedScorer",
    "CrossScorer",
    "EnsembleScorer",
    "LinearScorer",
    "PlattCalibration",
    "Reliability",
    "Scorer",
    "SparseNetworkScorer",
    "VectorNetworkScorer",
    "load_scorer",
]
