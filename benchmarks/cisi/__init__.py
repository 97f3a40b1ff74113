"""Search in CISI: two towers trained on the documents, compared with BM25, BERT and word vectors.

Run ``python -m benchmarks.cisi`` with ``RECSYS_DATA_HOME`` set; an interrupted run continues.
Writes ``benchmarks/results/cisi.json``; ``docs/explanation/search-benchmark.md`` describes the
protocol.
"""
