"""A run with a ranker: trained on validation, published with the bundle, resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.bundle import open_bundle
from recsys.errors import ConfigError, DataError
from recsys.ids import IdMap
from recsys.pipeline import open_job, run_job
from recsys.pipeline.rank_stage.requests import requests_of
from recsys.pipeline.rank_stage.shown import shown_tables
from recsys.pipeline.rank_stage.stage import drawn_queries
from recsys.ranking import PairContext, RankerConfig, RetrievedItems, load_ranker
from recsys.splits import HeldOutQueries
from tests.pipeline.tiny import write_tiny

TIMES = 'protocol = "global-time"\nvalidation_from = 0.5\ntest_from = 0.8'
SECTION = """
[ranker]
scorer = "logistic"
candidates = 20
negatives = 5
choose_on = 0.5
"""


def write_ranked(folder: Path, *, split: str = TIMES) -> Path:
    path = write_tiny(folder, pictures="skip", visits=8)
    text = path.read_text().replace('protocol = "leave-last-out"', split)
    path.write_text(text + SECTION)
    return path


@pytest.mark.parametrize("clock", ["timestamp", "position"])
def test_the_last_queries_choose_in_a_log_with_times_only(clock: str) -> None:
    """In a log of positions the last ones would be those of the longest histories."""
    count = np.arange(100)
    queries = HeldOutQueries(
        user=count.astype(np.int32),
        pool=np.zeros(100, np.int32),
        history_start=np.zeros(100, np.int64),
        history_stop=count,
        target_rows=np.zeros(100, np.int32),
        target_offsets=np.arange(101),
        time=count,
        terms=np.zeros(100, np.int32),
    )
    drawn = drawn_queries(queries, RankerConfig(requests=50), clock)
    assert len(drawn) == len(set(drawn.user.tolist())) == 50
    if clock == "timestamp":
        assert drawn.time.tolist() == sorted(drawn.time.tolist())
    else:
        assert 30 < drawn.time[-10:].mean() < 70


def write_shown(path: Path, *, feature: str = "popularity", taken: int = 40) -> None:
    """Forty feeds of five items; the last but one has the largest value, and is taken."""
    items = [f"i{at % 10}" for at in range(200)]
    items[1] = "gone"
    rank = np.arange(200) % 5
    with_history = [["i1", "gone"] if at == 0 else None for at in rank.tolist()]
    columns = {
        "request": np.arange(200) // 5,
        "time": np.arange(200) // 5 + 1_700_000_000,
        "item_id": items,
        "taken": (rank == 3) & (np.arange(200) // 5 < taken),
        "weight": np.ones(200, np.float32),
        "history": with_history,
        "terms": [[] for _ in items],
        f"feature.{feature}": (rank == 3).astype(np.float32),
    }
    pq.write_table(pa.table(columns), path)


def test_a_run_trains_its_ranker_on_impressions(tmp_path: Path) -> None:
    """Any split is allowed, and an item that is gone is left out."""
    config = write_ranked(tmp_path / "shop", split='protocol = "leave-last-out"')
    write_shown(config.parent / "shown.parquet")
    config.write_text(config.read_text() + 'impressions = "shown.parquet"\n')
    job = open_job(config, runs=tmp_path / "runs")
    (done,) = [each for each in run_job(job, until="rank") if each.stage == "rank"]
    assert done.figures["validation.ranker.ndcg@10"] == 1
    assert done.figures["validation.shown.ndcg@10"] == pytest.approx(1 / np.log2(5))
    assert load_ranker(job.folder / "rank/ranker").features.names == ("popularity",)
    write_shown(config.parent / "shown.parquet", taken=39)
    again = open_job(config, runs=tmp_path / "runs")
    assert not {each.stage: each.reused for each in run_job(again, until="rank")}["rank"]


@pytest.mark.parametrize(
    ("feature", "taken", "fault"),
    [("merged", 40, r"got \['merged'\]: export"), ("popularity", 25, "got 20 and 5; record")],
)
def test_impressions_that_train_no_ranker_are_refused(
    tmp_path: Path, feature: str, taken: int, fault: str
) -> None:
    items = IdMap.of("item", [f"i{at}" for at in range(10)])
    write_shown(tmp_path / "shown.parquet", feature=feature, taken=taken)
    with pytest.raises(DataError, match=fault):
        shown_tables(tmp_path / "shown.parquet", items, RankerConfig(choose_on=0.5))
    with pytest.raises(DataError, match="no impression of an item of the catalogue"):
        shown_tables(tmp_path / "shown.parquet", IdMap.of("item", ["other"]), RankerConfig())


def test_a_ranker_is_trained_published_and_reused(tmp_path: Path) -> None:
    config, runs = write_ranked(tmp_path / "shop"), tmp_path / "runs"
    job = open_job(config, runs=runs)
    done = {each.stage: each for each in run_job(job, until="publish")}
    figures = done["rank"].figures
    assert figures["requests"] > 0 and 0 < figures["validation.ranker.ndcg@10"] <= 1

    bundle = open_bundle(job.bundles)
    ranker, saved = bundle.parts.ranker, load_ranker(job.folder / "rank/ranker")
    assert ranker is not None
    assert bundle.manifest.figures["rank.requests"] == figures["requests"]
    request = next(requests_of(job, job.split.test, candidates=10))
    context, items = request.context, request.items
    assert not np.isin(items.rows, context.history).any()
    scores = [each.rank(context, items).scores for each in (ranker, saved)]
    np.testing.assert_array_equal(scores[0], scores[1])
    # The statistics are of the whole log.
    whole = job.ingested.interactions.item_counts
    assert ranker.features.statistics.popularity.tolist() == whole.tolist()

    # A request that training never had: another source, and no history.
    vectors = np.asarray(job.towers.item_vectors)
    rows = np.arange(3, dtype=np.int32)
    empty = PairContext(user_vector=vectors[0], history_vectors=vectors[:0])
    others = RetrievedItems.of_list("trending", rows, [3.0, 2.0, 1.0], vectors=vectors[rows])
    assert np.isfinite(ranker.rank(empty, others).scores).all()

    again = {each.stage: each for each in run_job(open_job(config, runs=runs), until="publish")}
    assert all(each.reused for each in again.values()) and "rank" in again


def test_a_split_that_shows_the_future_is_refused(tmp_path: Path) -> None:
    config = write_ranked(tmp_path / "shop", split='protocol = "leave-last-out"')
    job = open_job(config, runs=tmp_path / "runs")
    with pytest.raises(ConfigError, match="features would see the future: set split.protocol") as e:
        run_job(job, until="rank")
    assert e.value.field == "ranker"


def test_a_run_without_a_ranker_has_no_such_stage(tmp_path: Path) -> None:
    job = open_job(write_tiny(tmp_path / "shop", pictures="skip"), runs=tmp_path / "runs")
    with pytest.raises(ConfigError, match=r"add a section \[ranker\]"):
        run_job(job, until="rank")
