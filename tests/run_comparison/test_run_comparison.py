"""Comparison of evaluated runs: paired differences, refusals, tables and the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.errors import DataError, InvalidRequestError
from recsys.evaluation import Evaluation, difference
from recsys.run_comparison import EvaluatedRun, compare_runs
from recsys.run_comparison.pages import write_run_page
from recsys.run_comparison.tables import metric_lines, second_lines, setting_lines
from recsys.splits.query_digests import QueryDigests

QUERIES = 60


def _run(name: str, recall: float, **changes: Any) -> EvaluatedRun:
    """A run whose recall@5 is 1 for the first ``recall`` of its queries and 0 for the rest."""
    column = (np.arange(QUERIES) < recall * QUERIES).astype(np.float32)
    values = {"recall@5": column, "ndcg@5": column / 2, "recall@10": np.ones(QUERIES, np.float32)}
    figures = {metric: float(each.mean()) for metric, each in values.items()}
    evaluation = Evaluation(
        "two_tower", {**figures, "coverage@5": recall}, {"recall@5": (0.1, 0.9)}, {}, values, 1.0
    )
    rng = np.random.default_rng(1)
    made = EvaluatedRun(
        name=name,
        model="two_tower",
        folder=Path("runs") / name,
        evaluation=evaluation,
        queries=QueryDigests(
            *(rng.integers(0, 2**63, size, dtype=np.uint64) for size in (QUERIES, QUERIES, 9))
        ),
        settings={"towers.dimension": 8, "split.protocol": "leave-last-out"},
        files={"interactions.path": "a"},
        seconds={"ingest": 0.5, "train": 2.0},
    )
    return replace(made, **changes)


def test_differences_are_paired_by_query_and_not_by_position() -> None:
    first, other = _run("a", 0.5), _run("b", 0.8)
    order = np.random.default_rng(2).permutation(QUERIES)
    values = {name: column[order] for name, column in other.evaluation.values.items()}
    digests = replace(
        other.queries,
        targets=other.queries.targets[order],
        histories=other.queries.histories[order],
    )
    shuffled = replace(other, evaluation=replace(other.evaluation, values=values), queries=digests)
    content = compare_runs([first, shuffled])
    gap = content["runs"][1]["differences"]["recall@5"]
    mean, (low, high) = difference(other.evaluation, first.evaluation, "recall@5")
    assert gap == {"difference": mean, "low": low, "high": high}
    assert mean == pytest.approx(0.3) and 0 < low < mean < high
    assert content == compare_runs([first, other])


def test_the_tables_have_one_line_per_metric_stage_and_setting(tmp_path: Path) -> None:
    slower = {"ingest": 0.5, "train": 4.0, "index": 1.0}
    other = _run("b", 0.8, settings={"towers.dimension": 16}, seconds=slower)
    content = compare_runs([_run("a", 0.5), other, _run("c", 0.1)])
    assert content["metrics"] == ["recall@5", "ndcg@5", "coverage@5", "recall@10"]
    recall, _, coverage, at_ten = metric_lines(content)
    assert recall.figures == ("0.5000", "0.8000", "0.1000")
    assert [gap.verdict for gap in recall.gaps] == ["better", "worse"]
    assert (coverage.gaps[0].difference, coverage.gaps[0].interval) == ("+0.3000", "")
    assert at_ten.gaps[0].verdict == "" and at_ten.gaps[0].interval == "+0.0000 to +0.0000"
    assert setting_lines(content) == [
        ["towers.dimension", "8", "16", "8"],
        ["split.protocol", "leave-last-out", "", "leave-last-out"],
    ]
    assert second_lines(content)[-2:] == [["index", "", "1.0", ""], ["all", "2.5", "5.5", "2.5"]]
    write_run_page(tmp_path / "runs.html", content, command="recsys compare a b c")
    page = (tmp_path / "runs.html").read_text()
    assert "<h1>b, c compared with a</h1>" in page and page.count("data:image/svg+xml") == 4
    assert '<td class="better">better</td>' in page and page.startswith("<!doctype html>")


def test_a_comparison_can_be_limited_to_some_k() -> None:
    runs = [_run("a", 0.5), _run("b", 0.8)]
    assert compare_runs(runs, ks=[10])["metrics"] == ["recall@10"]
    with pytest.raises(InvalidRequestError, match=r"no common metric at 7; .*: 5, 10"):
        compare_runs(runs, ks=[7])


def test_runs_with_other_queries_are_refused_with_the_cause() -> None:
    first = _run("a", 0.5)
    targets = np.where(np.arange(QUERIES) < 20, first.queries.targets + 1, first.queries.targets)
    settings = {"towers.dimension": 9, "split.protocol": "global-time"}
    for changes, expected in (
        (
            {"queries": replace(first.queries, targets=targets.astype(np.uint64))},
            r"test queries .* differ: 60 and 60, 40 in both; what differs: nothing in the settings",
        ),
        (
            {"queries": replace(first.queries, candidates=first.queries.candidates[:5])},
            "their candidates differ: 9 and 5, 5 in both",
        ),
        (
            {
                "queries": replace(first.queries, histories=first.queries.histories[::-1]),
                "settings": settings,
                "files": {"interactions.path": "b"},
            },
            r"histories of 60 of 60 test queries differ; what differs: the content of the file "
            r"interactions.path, split.protocol \(leave-last-out and global-time\); evaluate both",
        ),
    ):
        with pytest.raises(DataError, match=f"'a' and 'b' cannot be compared: .*{expected}"):
            compare_runs([first, _run("b", 0.8, **changes)])


def test_labels_are_the_shortest_that_distinguish_runs() -> None:
    first = _run("a", 0.5)
    knn = replace(first, model="item_knn")
    elsewhere = replace(first, folder=Path("old/a"))

    def labels(*runs: EvaluatedRun) -> list[str]:
        return [run["label"] for run in compare_runs(runs, resamples=2)["runs"]]

    assert labels(first, _run("b", 0.1)) == ["a", "b"]
    assert labels(first, knn) == ["a:two_tower", "a:item_knn"]
    assert labels(first, elsewhere) == ["runs/a:two_tower", "old/a:two_tower"]
    with pytest.raises(InvalidRequestError, match="'two_tower' of run 'a' is there twice"):
        compare_runs([first, knn, first])
    with pytest.raises(InvalidRequestError, match="at least two runs"):
        compare_runs([first])
