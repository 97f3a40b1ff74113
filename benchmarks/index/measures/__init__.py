"""Measurements, each a function from JSON values to a JSON object."""
