"""Search in CISI: two towers trained on the documents alone, beside BM25, BERT and word vectors.

Run ``python -m benchmarks.cisi`` with ``RECSYS_DATA_HOME`` set; it goes on where it was stopped.
Writes ``benchmarks/results/cisi.json``; ``docs/search-benchmark.md`` tells how it is done and reads
it.
"""
