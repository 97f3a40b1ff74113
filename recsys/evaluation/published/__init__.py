"""The evaluation as a bundle holds it: small, bounded, comparable with that of another bundle."""

from recsys.evaluation.published.failures import FailedQuery, failed_queries
from recsys.evaluation.published.report import PublishedReport, model_of, segments

__all__ = ["FailedQuery", "PublishedReport", "failed_queries", "model_of", "segments"]
