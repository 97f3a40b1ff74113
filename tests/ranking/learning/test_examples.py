"""Training tables: requests that see no future, sampling, and parquet files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.errors import DataError, UnknownIdError
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.ranking import FeatureSet, Statistics, StatisticsConfig, default_features
from recsys.ranking.learning import (
    AnsweredRequest,
    TrainingTable,
    collect,
    features_of_the_future,
    read_training_table,
    write_training_table,
)
from tests.ranking.ranker_worlds import chain_log, request

LOG = chain_log()
CONFIG = StatisticsConfig(ease_l2=5.0)
NAMES = default_features(("two_tower", "trending"))
MOMENT = int(np.quantile(LOG.time, 0.8))


def answered(count: int) -> list[AnsweredRequest]:
    """Requests after the moment, of each of which the third item was taken."""
    made = []
    for seed in range(count):
        context, items = request(seed=seed)
        named = replace(context, terms=f"lamp {seed}") if seed % 2 else context
        made.append(AnsweredRequest(named, items, items.rows[2:3], MOMENT + seed))
    return made


def before_the_moment(log: Interactions) -> FeatureSet:
    return FeatureSet(NAMES, Statistics.of(log, before=MOMENT, config=CONFIG))


def of_the_whole_log(log: Interactions) -> FeatureSet:
    return FeatureSet(NAMES, Statistics.of(log, config=CONFIG))


def test_joined_tables_are_the_table_of_all_requests() -> None:
    requests, features = answered(5), before_the_moment(LOG)
    whole = collect(requests, features)
    joined = TrainingTable.joined(
        [collect(requests[:2], features), collect(requests[2:], features)]
    )
    assert joined.phrases == whole.phrases
    np.testing.assert_array_equal(joined.histories.rows, whole.histories.rows)
    for name in ("values", "rows", "offsets", "taken", "weights", "times"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    with pytest.raises(DataError, match="tables with the same features"):
        TrainingTable.joined([whole, whole.select(("popularity",))])


def test_a_planted_leak_is_found() -> None:
    requests = answered(4)
    assert features_of_the_future(before_the_moment, LOG, requests) == ()
    found = features_of_the_future(of_the_whole_log, LOG, requests)
    assert {"popularity", "recent", "followed", "ease"} <= set(found)
    assert not any(name.startswith(("source", "vector", "history")) for name in found)


def test_statistics_of_the_future_are_refused() -> None:
    with pytest.raises(DataError, match="a feature would see the future; make them of the log"):
        collect(answered(4), of_the_whole_log(LOG))


def test_histories_of_the_future_are_refused() -> None:
    first = answered(1)[0]
    times = np.full(len(first.context.history), first.time)
    leaking = replace(first, context=replace(first.context, times=times))
    with pytest.raises(DataError, match="it must end before the request"):
        collect([leaking], before_the_moment(LOG))
    past = replace(first, context=replace(first.context, times=times - 1))
    assert collect([past], before_the_moment(LOG)).requests == 1


def test_drawn_items_stand_for_the_others() -> None:
    features = before_the_moment(LOG)
    whole = collect(answered(20), features)
    drawn = collect(answered(20), features, negatives=4, seed=1)
    assert (len(whole), len(drawn)) == (20 * 12, 20 * 5)
    assert drawn.weights.sum() == len(whole) and drawn.taken.sum() == whole.taken.sum() == 20
    again = collect(answered(20), features, negatives=4, seed=1)
    assert np.array_equal(drawn.rows, again.rows)
    # Features are those of the whole list.
    at = int(np.flatnonzero(drawn.taken)[3])
    np.testing.assert_array_equal(drawn.values[at], whole.values[np.flatnonzero(whole.taken)[3]])


def test_requests_without_a_taken_item_are_left_out() -> None:
    requests = answered(3)
    missed = replace(requests[1], taken=requests[1].taken[:0])
    assert collect([requests[0], missed], before_the_moment(LOG)).requests == 1
    with pytest.raises(DataError, match="needs requests"):
        collect([missed], before_the_moment(LOG))


def test_a_table_is_split_in_time() -> None:
    table = collect(answered(10), before_the_moment(LOG))
    early, late = table.between(last=MOMENT + 6), table.between(MOMENT + 6)
    assert early.times.max() < late.times.min() and early.requests + late.requests == 10
    assert late.phrases == table.phrases[6:]
    np.testing.assert_array_equal(late.values, table.values[table.offsets[6] :])


@pytest.mark.parametrize("graded", [False, True])
def test_a_parquet_file_holds_the_whole_table(graded: bool, tmp_path: Path) -> None:
    table = collect(answered(5), before_the_moment(LOG), negatives=3)
    if graded:
        grades = np.where(table.taken, 4.0, np.nan).astype(np.float32)
        table = replace(table, grades=grades)
    write_training_table(tmp_path / "table.parquet", table, LOG.items)
    read = read_training_table(tmp_path / "table.parquet", LOG.items)
    assert_equal(read, table)


def test_unknown_ids_of_a_file_are_refused(tmp_path: Path) -> None:
    table = collect(answered(2), before_the_moment(LOG))
    write_training_table(tmp_path / "table.parquet", table, LOG.items)
    with pytest.raises(UnknownIdError):
        read_training_table(tmp_path / "table.parquet", IdMap.of("item", ["i0"]))
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot read the training table"):
        read_training_table(tmp_path / "table.parquet", LOG.items)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("taken", ["yes", "no"], "column 'taken' must hold numbers; it holds string"),
        ("weight", [["1"], ["2"]], "column 'weight' must hold numbers; it holds list"),
        ("history", ["i1", "i2"], "column 'history' must hold a list of strings per line"),
        ("terms", [[1], [2]], "column 'terms' must hold a list of strings per line"),
        ("item_id", [1, 2], "column 'item_id' must hold strings; it holds int64"),
    ],
)
def test_columns_of_another_type_are_refused(
    column: str, values: list[object], message: str, tmp_path: Path
) -> None:
    path, table = tmp_path / "table.parquet", collect(answered(1), before_the_moment(LOG))
    write_training_table(path, table, LOG.items)
    columns = pq.read_table(path).slice(0, 2)
    at = columns.column_names.index(column)
    pq.write_table(columns.set_column(at, column, pa.array(values)), path)
    with pytest.raises(DataError, match=message):
        read_training_table(path, LOG.items)


def assert_equal(first: TrainingTable, second: TrainingTable) -> None:
    assert (first.names, first.phrases) == (second.names, second.phrases)
    for name in ("values", "rows", "offsets", "taken", "weights", "times"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(first.histories.rows, second.histories.rows)
    assert (first.grades is None) == (second.grades is None)
    if first.grades is not None and second.grades is not None:
        np.testing.assert_array_equal(first.grades, second.grades)
