"""What the benchmark of exact search times gives the right answers."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import evaluation


def test_ours_and_tfrs_find_what_sorting_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"ITEMS": 2_000, "QUERIES": 70, "K": 10, "COMPARED": 5, "ASKED_OF_TFRS": 8}
    for name, value in small.items():
        monkeypatch.setattr(evaluation, name, value)
    monkeypatch.setattr(evaluation, "CANDIDATE_BATCHES", (500,))
    items, queries = evaluation.vectors()
    sorted_out = np.argsort(-(queries[:5] @ items.T), axis=1)[:, :10].tolist()
    assert evaluation.ours()["found"] == sorted_out
    assert evaluation.tfrs()["found"] == sorted_out
