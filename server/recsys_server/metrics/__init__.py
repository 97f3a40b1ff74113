"""Metrics: counted in each worker, added up by the supervisor, read by Prometheus."""
