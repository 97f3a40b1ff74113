"""What the benchmark of exact search times gives the right answers."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import evaluation


def test_ours_and_tfrs_find_the_exact_items(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"ITEMS": 2_000, "QUERIES": 70, "K": 10, "COMPARED": 5}
    for name, value in small.items():
        monkeypatch.setattr(evaluation, name, value)
    monkeypatch.setattr(evaluation, "SIZES", ((128, 16), (500, 8)))
    items, queries = evaluation.vectors()
    sorted_out = np.argsort(-(queries[:5] @ items.T), axis=1)[:, :10].tolist()
    assert evaluation.ours()["found"] == sorted_out
    theirs = evaluation.tfrs()
    assert theirs["found"] == sorted_out
    assert list(theirs["rates"]) == ["128 candidates x 16 queries", "500 candidates x 8 queries"]
    assert all(rate > 0 for rate in theirs["rates"].values())


def test_rates_are_compared_with_the_tutorial_sizes_and_the_best() -> None:
    """100 queries per second of a limit of 4,000, compared with 5 and 20 of TFRS."""
    flops = 2 * evaluation.ITEMS * evaluation.DIMENSION
    figures = evaluation.figures_of(
        {"gflops": 4_000 * flops / 1e9},
        {"seconds": evaluation.QUERIES / 100, "peak_gib": 1.0, "found": [[1, 2], [3, 4]]},
        {
            "rates": {"128 candidates x 4096 queries": 5.0, "16384 candidates x 256 queries": 20.0},
            "found": [[2, 1], [3, 5]],
            "peak_gib": 2.0,
        },
    )
    wanted = {
        "share_of_sgemm": 1 / 40,
        "speed_over_tfrs": 20,
        "speed_over_tfrs_at_its_best": 5,
        "limit_over_tfrs_at_its_best": 200,
        "same_items_as_tfrs": 0.5,
    }
    assert {name: figures[name] for name in wanted} == pytest.approx(wanted)
