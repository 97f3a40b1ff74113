"""Data sets, exact answers, filters and query vectors of the benchmark."""
