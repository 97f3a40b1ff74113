"""Search without the rows nearest to the query, as a long history excludes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.data.datasets import SEED
from benchmarks.index.data.truth import Answers, exact_answers, recalls
from benchmarks.index.measures.filters import CUTOFFS, alternating
from benchmarks.index.measures.timing import Search
from benchmarks.index.parts import data_set, index_folder
from recsys.ids import Rows, Vectors
from recsys.index import Index, load_index

COUNTS = (10, 100, 1_000)


def ours(work: Path, data: str, items: int, target: float, count: int) -> dict[str, Any]:
    """Per cell, "kind count, k": recall, median latency, and its ratio to the plain search."""
    found = data_set(work, data, items)
    index = load_index(index_folder(work, data, items, f"ours {target}"), found.items)
    queries = found.array("queries")[:count]
    deep = exact_answers(found.items, queries, max(CUTOFFS) + max(COUNTS))
    cells = {}
    for name, excluded in _exclusions(deep, items):
        for k in CUTOFFS:
            truth = _without(deep, excluded, k)
            hits = index.search(queries, k, exclude=excluded)
            rows = np.where(hits.valid, hits.rows, -1)
            wrong = sum(np.isin(rows[query], each).sum() for query, each in enumerate(excluded))
            shares = recalls(found.items, queries, rows, truth, k)
            own, other = alternating((without_in_turn(index, excluded), index.search), queries, k)
            cells[f"{name}, {k}"] = {
                "recall": float(shares.mean()),
                "worst_recall": float(shares.min()),
                "excluded_found": int(wrong),
                "short": int(np.count_nonzero(~hits.valid)),
                "p50_us": float(np.median(own)) * 1e6,
                "plain_p50_us": float(np.median(other)) * 1e6,
                "p50_ratio": float(np.median(own) / np.median(other)),
            }
    return cells


def without_in_turn(index: Index, excluded: Sequence[Rows]) -> Search:
    """Search of one query after the other, each without its own rows."""
    numbers = itertools.count()

    def search(queries: Vectors, k: int) -> Any:
        return index.search(queries, k, exclude=[excluded[next(numbers)]])

    return search


def _exclusions(deep: Answers, items: int) -> Iterator[tuple[str, list[Rows]]]:
    rng = np.random.default_rng(SEED)
    for count in COUNTS:
        yield f"nearest {count:,}", [rows[:count] for rows in deep.rows]
        random = [rng.choice(items, count, replace=False) for _ in deep.rows]
        yield f"random {count:,}", [rows.astype(np.int32) for rows in random]


def _without(deep: Answers, excluded: list[Rows], k: int) -> Answers:
    rows = np.empty((len(deep.rows), k), np.int32)
    scores = np.empty((len(deep.rows), k), np.float32)
    for query, each in enumerate(excluded):
        kept = np.flatnonzero(~np.isin(deep.rows[query], each))[:k]
        rows[query], scores[query] = deep.rows[query, kept], deep.scores[query, kept]
    return Answers(rows, scores)
