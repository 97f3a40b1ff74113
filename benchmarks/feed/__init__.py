"""Benchmarks of the feed."""
