"""The benchmark of feeds: its figures, its page, and what a stored part depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.feed import page
from benchmarks.feed.figures import DEFINITIONS, figures_of
from benchmarks.feed.offline.discount import choose_discount, coverage_ratios, discounts_of
from benchmarks.feed.offline.measures import Lists, relative_gain, sums_by_user
from benchmarks.feed.offline.oracle import oracle_lists
from benchmarks.feed.offline.table_scores import RETRIEVAL_RANK, Chunk, TableScores
from benchmarks.feed.parts import CODE
from recsys.ranking import FeatureTable, LinearScorer, PlattCalibration
from recsys.ranking.learning import TrainingTable
from recsys.ranking.learning.training import FittedScorer


def result(seed: int) -> dict[str, Any]:
    """The part of one seed."""
    figures = {"ndcg@10": 0.1, "recall@10": 0.2, "recall@50": 0.5, "coverage@10": 100.0}
    better = {"ndcg@10": 0.12, "recall@10": 0.22, "recall@50": 0.5, "coverage@10": 95.0}
    scorers = dict.fromkeys(page.TITLES, figures) | {"dcn": better, "feed": better}
    return {
        "seed": seed,
        "chosen": "dcn",
        "scorers": scorers,
        "validation": dict.fromkeys(page.TITLES, 0.1),
        "users": {"feed": [1.2, 2.4], "retrieval": [1.0, 2.0]},
        "price_of_diversity": [
            {"strength": s, "ndcg@10": 0.1 - s / 100, "distance": s} for s in (0.0, 0.5)
        ],
        "discounts": [
            {"discount": d, "coverage_ratio": 0.9 + d, "ndcg@10": 0.12, "chosen": d == 0.05}
            for d in (0.0, 0.05)
        ],
        "reliability": {"predicted": [0.1, 0.2], "observed": [0.1, 0.3], "error": 0.05},
    }


def loop() -> dict[str, Any]:
    each = {"clicks": 1.0, "expected": 0.9, "oracle": 1.0, "new": 0.1, "new_oracle": 0.2}
    return {"arms": {"without exploration": [each] * 6, "with exploration": [each] * 6}}


SECTIONS = {
    "movielens": [result(1), result(2)],
    "sample": [{**result(1), "oracle": result(1)["scorers"]["dcn"]}],
    "beauty": [result(1)],
    "calls": {"p99_ms": 9.0, "commit": "abc"},
    "mmr": {"median_ms": 0.6},
    "loop": [loop()],
    "open_bandit": {"figures": {"ope.max_gap": 0.003}},
}


def test_lists_have_the_figures_of_their_positions() -> None:
    first = np.arange(20, dtype=np.int32).reshape(2, 10)
    lists = Lists(np.array([1, 3]), first)
    assert lists.figures() == {
        "ndcg@10": (1 + 0.5) / 2,
        "recall@10": 1,
        "recall@50": 1,
        "coverage@10": 20,
    }
    absent = Lists(np.array([0, 30]), first).figures()
    assert absent["ndcg@10"] == absent["recall@10"] == 0 and absent["recall@50"] == 0.5


def test_the_interval_is_over_users() -> None:
    rng = np.random.default_rng(0)
    users, gains = rng.integers(0, 50, 2000), rng.random(2000)
    sums = sums_by_user(users, {"feed": 1.2 * gains, "retrieval": gains})
    equal = relative_gain(np.array(sums["feed"]), np.array(sums["retrieval"]))
    assert equal == pytest.approx((0.2, 0.2), abs=1e-5)
    noisy = sums_by_user(users, {"feed": rng.random(2000), "retrieval": gains})
    low, high = relative_gain(np.array(noisy["feed"]), np.array(noisy["retrieval"]))
    assert low < 0.01 < high


def test_the_figures_are_those_of_the_feed_over_retrieval() -> None:
    figures = figures_of(SECTIONS)
    expected = {
        "ml1m.feed.ndcg@10": 0.12,
        "ml1m.ndcg_gain": 0.2,
        "ml1m.ndcg_gain.low": 0.2,
        "ml1m.recall_ratio10": 1.1,
        "ml1m.recall_ratio50": 1.0,
        "ml1m.coverage_ratio": 0.95,
        "ml1m.discount": 0.05,
        "sample.share_of_oracle": 1.0,
        "rank_feed.p99_ms": 9.0,
        "mmr_500_50_ms": 0.6,
        "loop.share_of_oracle": 0.9,
        "loop.with.new_share_of_oracle": 0.5,
        "ope.max_gap": 0.003,
    }
    assert {name: figures[name] for name in expected} == pytest.approx(expected)


def test_the_smallest_discount_that_covers_enough_items_is_chosen() -> None:
    names = ("popularity", RETRIEVAL_RANK)
    popular, rest = np.arange(10), np.arange(10, 20)
    values = np.array([[1, 2]] * 10 + [[0, 1]] * 10, np.float32)
    tables = [
        FeatureTable(names, values, np.concatenate([popular, own]).astype(np.int32))
        for own in (rest, rest + 10)
    ]
    taken = [np.arange(20) == 3] * 2
    table = TrainingTable.of(tables, taken, times=[1, 2])
    scores = TableScores(table, np.zeros((30, 1), np.float32))
    ranker = LinearScorer.of_weights({"popularity": 0.31})
    scorers = discounts_of(FittedScorer(ranker, PlattCalibration(), 0.0))
    ratios = coverage_ratios(scorers, [Chunk(np.arange(2), (), scores)], items=30)
    assert ratios[0.3] == 0.5 and ratios[0.325] == 1
    feed, tried = choose_discount(scorers, ratios, scores)
    assert [each["discount"] for each in tried if each["chosen"]] == [0.325]
    assert feed.ndcg == tried[13]["ndcg@10"] < tried[0]["ndcg@10"]


def test_the_page_and_its_plots_are_written_from_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = {**SECTIONS, "figures": figures_of(SECTIONS), "definitions": DEFINITIONS}
    file, rows = (tmp_path / each.name for each in (page.PAGE, page.ROWS))
    file.write_bytes(page.PAGE.read_bytes())
    rows.write_text("<!-- feeds -->\n<!-- end of feeds -->", encoding="utf-8")
    monkeypatch.setattr(page, "RESULT", tmp_path / "feed.json")
    page.write_page(record, file, rows)
    assert "order of retrieval | **+20.0%** | +20.0% |" in rows.read_text(encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    assert "| discount of popular items: **the feed** | **0.1200** |" in text
    assert "| oracle | 0.1200 |" in text
    assert "| DCN | 0.1200 ± 0.0000 |" in text
    assert {each.name for each in tmp_path.glob("*.png")} == {
        "feed-price.png",
        "feed-reliability.png",
        "feed-loop.png",
    }


def test_stored_parts_depend_on_code_that_exists() -> None:
    assert all(Path(path).exists() for paths in CODE.values() for path in paths)


def test_the_oracle_has_the_recall_that_the_sample_set_states() -> None:
    figures = oracle_lists().figures()
    assert figures["recall@10"] == pytest.approx(0.418, abs=0.001)
