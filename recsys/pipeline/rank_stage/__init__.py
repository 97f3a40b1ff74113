"""The stage of the ranker."""
