"""Throughput and latency of the service against the limit of its parts."""
