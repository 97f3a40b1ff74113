"""The recall of a space, per kind of query."""

from __future__ import annotations

import numpy as np

from recsys.index import ExactConfig, ScannConfig
from recsys.pipeline.index_queries import measure_recall, worst_kind
from recsys.retrieval import Space
from tests.contracts.index_contract import made_vectors

VECTORS = made_vectors(2_000, seed=1)
KINDS = {"items": VECTORS[::50], "users": made_vectors(30, seed=2)}


def test_recall_is_reported_per_kind_with_its_worst_query() -> None:
    config = ScannConfig(leaves_to_search=1, reorder=30)
    space = Space.content("text", VECTORS, np.ones(2_000, bool), config)
    found = measure_recall(space, KINDS, at=20)
    assert set(found) == {"items", "users"}
    assert list(found["items"]) == ["1", "10", "20", "100", "1000"]
    for by_k in found.values():
        assert all(0 <= each["worst"] <= each["mean"] <= 1 for each in by_k.values())
    means = [by_k["10"]["mean"] for by_k in found.values()]
    assert worst_kind(found)[10] == min(means) < 1


def test_exact_search_finds_everything() -> None:
    space = Space.two_tower(VECTORS[:500], ExactConfig())
    found = measure_recall(space, KINDS, at=100)
    assert set(worst_kind(found).values()) == {1.0} and max(worst_kind(found)) == 500
