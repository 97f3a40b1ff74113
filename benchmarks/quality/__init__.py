"""Retrieval quality on three public data sets, compared with other models and published figures."""
