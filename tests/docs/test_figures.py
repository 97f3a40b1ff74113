"""The headline figures of the README are those of the records."""

from __future__ import annotations

import json

import pytest

from tests.docs.pages import ROOT

ROWS = {
    "Amazon Beauty, next product": (
        "quality",
        "beauty.ndcg@10",
        "beauty.sasrec_rectools.ndcg@10",
    ),
    "MovieLens-1M, next film": (
        "quality",
        "movielens-1m.ndcg@10",
        "movielens-1m.sasrec_rectools.ndcg@10",
    ),
    "Gowalla, next places": ("quality", "gowalla.ndcg@20", None),
    "MovieLens-1M, films without interactions": (
        "cold_items",
        "cold.best.recall@10",
        "cold.mean_of_attributes.recall@10",
    ),
    "CISI, document search": ("cisi", "cisi.ours.ndcg@10", "cisi.bert.ndcg@10"),
    "MovieLens-1M, training to the tutorial's quality": (
        "training",
        "ours.seconds",
        "tutorial.seconds",
    ),
    "A million items, approximate search, recall@10 of .95": (
        "index",
        "qps_over_best_peer.1m.r95",
        None,
    ),
    "A million items, exact search": (
        "evaluation",
        "queries_per_second",
        "tfrs.queries_per_second_at_its_best",
    ),
}
"""Record of each row, and the keys of its two figures."""
TABLE = {
    cells[0]: cells
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    if len(cells := line.strip("| ").split(" | ")) == 5
}


def test_every_headline_figure_has_a_record() -> None:
    headings = {"data set", "|---|---|---|---|---"}
    assert set(TABLE) - headings == set(ROWS) and len(ROWS) <= 8


@pytest.mark.parametrize("row", ROWS)
def test_a_headline_figure_is_that_of_its_record(row: str) -> None:
    name, *keys = ROWS[row]
    record = json.loads((ROOT / f"benchmarks/results/{name}.json").read_text(encoding="utf-8"))
    for shown, key in zip(TABLE[row][2:4], keys):
        if key is not None:
            digits = len(shown.strip("*").partition(".")[2])
            assert shown.strip("*") == f"{record['figures'][key]:.{digits}f}"
