"""Retrieval quality on three public data sets, beside peers and beside what was published.

``__main__`` tells how to run it.
"""
