"""The report of a bundle: failed queries with exact ranks, bounded files, paired comparison."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.evaluation import Evaluation
from recsys.evaluation.published import (
    FailedQuery,
    PublishedReport,
    failed_queries,
    report,
    segments,
)
from recsys.evaluation.scorers import VectorScorer
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.splits import LeaveLastOutConfig, split
from recsys.splits.query_digests import QueryDigests

ITEMS, USERS = 12, 8


def made(name: str = "demo", queries: int = 40, seed: int = 0) -> PublishedReport:
    rng = np.random.default_rng(seed)
    hits = (rng.random(queries) < 0.5).astype(np.float32)
    values = {"hr@10": hits, "recall@10": hits, "recall@20": hits, "recall_of_cold@10": hits}
    figures = {metric: float(column.mean()) for metric, column in values.items()}
    intervals = {"recall@10": (0.2, 0.8)}
    counts = {"queries": queries, "cold_queries": 7}
    found = {
        each: Evaluation(each, figures, intervals, counts, values, 3.0)
        for each in ("two_tower", "popularity")
    }
    numbers = np.arange(1, queries + 1, dtype=np.uint64)
    digests = QueryDigests(numbers[::-1].copy(), numbers, np.arange(99, dtype=np.uint64))
    epochs = [{"epoch": 1, "loss": 2.0, "recall@10": 0.1, "seconds": 9.0, "note": "x"}]
    failures = [
        FailedQuery(user, ("i1",), 1, "", (("i3", 70, ("tail",)),), ("i2",), ("new_users",))
        for user in ("gone", "u1")
    ]
    return PublishedReport.of(
        *(found, digests),
        name=name,
        seeds=[1],
        protocol="leave-last-out",
        k=10,
        epochs=epochs,
        failures=failures,
    )


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = made()
    written.save(tmp_path / "report")
    assert len(written.of_users("u1".__eq__).content["failures"]) == 1
    found = PublishedReport.load(tmp_path / "report")
    assert json.dumps(found.content) == json.dumps(written.content)
    assert "seconds" not in str(found.content)
    assert found.content["epochs"] == [{"epoch": 1, "loss": 2.0, "recall@10": 0.1}]
    assert segments(found.content) == [("cold", 7)]
    assert found.model.name == "two_tower" and set(found.model.values) == {
        *("hr@10", "recall@10", "recall_of_cold@10")
    }
    (tmp_path / "report" / "values.npz").write_bytes(b"")
    with pytest.raises(DataError, match="holds no report"):
        PublishedReport.load(tmp_path / "report")


def test_two_reports_on_the_same_queries_keep_the_same_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report, "MAX_QUERIES", 10)
    one, other = made(), made(seed=1)
    assert len(one.queries.targets) == len(one.queries.candidates) == 10
    assert (one.queries.targets == other.queries.targets).all()
    assert sorted(one.queries.targets.tolist()) == list(range(1, 11))
    assert len(one.model.values["recall@10"]) == 10
    assert one.content["failed_queries"] > 10  # of all queries


def test_failed_queries_name_the_exact_rank_and_the_reason() -> None:
    users, items = (
        IdMap.of(kind, [f"{kind[0]}{n}" for n in range(size)])
        for kind, size in (("user", USERS), ("item", ITEMS))
    )
    # Each user has items n, n + 1 and, held out, n + 3; items above 9 are held out only.
    steps = [(user, (user + step) % ITEMS) for user in range(USERS) for step in (0, 1, 2, 3)]
    log = Interactions.of(
        users,
        items,
        user=[user for user, _ in steps],
        item=[item for _, item in steps],
        time=list(range(len(steps))),
    )
    parts = split(log, LeaveLastOutConfig())
    order = np.arange(ITEMS, 0, -1, dtype=np.float32)[:, None]
    scorer = VectorScorer("order", order, lambda queries: np.ones((len(queries), 1), np.float32))
    failed = np.ones(len(parts.test), np.bool_)
    found = failed_queries(scorer, parts, failed, users=users, items=items, count=3)
    ranks = [each.expected[0][1] for each in found]
    assert len(found) == 3 and ranks == sorted(ranks, reverse=True)
    for each in found:
        (item_id, rank, kinds), user = each.expected[0], int(each.user_id[1:])
        target, history = int(item_id[1:]), {int(item[1:]) for item in each.history_ids}
        assert target == (user + 3) % ITEMS and each.history_length == len(history)
        assert rank == target + 1 - sum(item < target for item in history)
        assert kinds and each.segments and each.answered_ids
    assert failed_queries(scorer, parts, ~failed, users=users, items=items, count=3) == []
