"""Measurements of the index."""
