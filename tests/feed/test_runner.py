"""The runner: order, budgets, failures and the partition of the candidates."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from recsys.errors import ConfigError, DataError
from recsys.feed import FeedContext, Pipeline, StagePool, Trace, run_pipeline
from recsys.feed.running.time_limits import RequestTime
from tests.feed.made import STAGES, Gate, Listed, context_of, pipeline_of, tiny_view

VIEW = tiny_view()
PATIENCE = 120.0


def run(pipeline: Pipeline, pool: StagePool | None = None, **fields: Any) -> Trace:
    context = context_of(VIEW, **{"k": 5, **fields})
    return run_pipeline(pipeline, context, pool or StagePool())


def with_stage(name: str, **changes: Any) -> Pipeline:
    return pipeline_of({**STAGES, name: STAGES[name].model_copy(update=changes)})


def statuses(trace: Trace) -> dict[str, str]:
    return {record.stage: record.status for record in trace.records}


def lost(trace: Trace) -> dict[str, set[int]]:
    """Rows by the step after which they are missing, of those that do not come back."""
    final, found = set(trace.rows.tolist()), {}
    for record in trace.records:
        if record.before is not None and record.after is not None:
            gone = set(record.before.rows.tolist()) - set(record.after.rows.tolist())
            found[record.stage] = gone - final
    return found


def fail() -> None:
    raise DataError("the stage is broken")


def test_the_stages_run_in_their_order() -> None:
    trace = run(pipeline_of(STAGES))
    assert [record.stage for record in trace.records] == [*STAGES][:2] + ["merge"] + [*STAGES][
        2:
    ] + ["feed"]
    assert set(statuses(trace).values()) == {"ok"}
    assert trace.rows.tolist() == [2, 38, 34, 32, 28]
    assert trace.state.kinds is not None and trace.state.kinds.tolist() == [1, 0, 0, 0, 0]
    assert trace.state.candidates.columns["doubled"].tolist() == [4, 76, 68, 64, 56]


def test_every_row_is_in_the_feed_or_lost_once() -> None:
    trace = run(pipeline_of(STAGES))
    parts = [set(trace.rows.tolist()), *lost(trace).values()]
    retrieved = set(range(40))
    assert set().union(*parts) == retrieved
    assert sum(map(len, parts)) == len(retrieved)


@pytest.mark.parametrize("name", STAGES)
def test_a_failed_stage_has_no_effect(name: str) -> None:
    trace = run(with_stage(name, act=fail))
    off = run(with_stage(name, enabled=False))
    assert statuses(trace)[name] == "failed" and statuses(off)[name] == "off"
    assert [each.stage for each in trace.reports() if each.is_degraded] == [name]
    assert {each.message for each in trace.reports() if each.is_degraded} == {"the stage is broken"}
    assert trace.rows.tolist() == off.rows.tolist() and len(trace.rows)


@pytest.mark.parametrize("name", STAGES)
def test_a_late_stage_is_discarded(name: str) -> None:
    gate, pool = Gate(), StagePool()
    trace = run(with_stage(name, act=gate, budget_ms=20.0), pool)
    before = trace.rows.tolist()
    assert statuses(trace)[name] == "late"
    assert before == run(with_stage(name, enabled=False)).rows.tolist()
    gate.opened.set()
    assert not gate.entered.is_set() or gate.passed.wait(PATIENCE)
    assert trace.rows.tolist() == before


@pytest.mark.parametrize("act", [fail, Gate()])
def test_a_filter_may_remove_all_when_it_does_not_work(act: Callable[[], None]) -> None:
    closed = {"on_failure": "remove", "act": act, "budget_ms": 20.0}
    trace = run(with_stage("even", **closed))
    (record,) = [each for each in trace.records if each.stage == "even"]
    assert record.status in ("failed", "late") and "removes all candidates" in record.message
    assert len(trace.rows) == 0 and lost(trace)["even"] == set(range(40))
    assert run(with_stage("even", on_failure="remove", enabled=False)).rows.size == 5


def test_stages_share_the_time_of_the_request() -> None:
    gate = Gate()
    slow = {name: STAGES[name].model_copy(update={"act": gate}) for name in ("low", "by_row")}
    pipeline = pipeline_of({**STAGES, **slow}, budget_ms=100.0)
    trace = run(pipeline)
    late = {each.stage: each.message for each in trace.records if each.status == "late"}
    gate.opened.set()
    assert set(slow) <= set(late) and len(trace.rows) == 5
    assert all("half of the request's remaining time" in message for message in late.values())


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_a_request_whose_time_is_over_is_answered(seconds: float) -> None:
    context = context_of(VIEW, k=5)
    trace = run_pipeline(pipeline_of(STAGES), context, StagePool(), RequestTime.of(seconds))
    assert len(trace.records) == len(STAGES) + 2


def test_a_stage_with_late_calls_is_not_called_until_one_has_ended() -> None:
    gate, pool = Gate(), StagePool()
    pipeline = with_stage("low", act=gate, budget_ms=20.0)
    found = [statuses(run(pipeline, pool))["low"]]
    while found[-1] == "late" and len(found) < 1_000:  # A call that has not begun does not count.
        found.append(statuses(run(pipeline, pool))["low"])
    assert len(found) > 2 and found[-1] == "busy"
    gate.opened.set()
    end = time.monotonic() + PATIENCE
    while pool.is_busy("test.low") and time.monotonic() < end:
        gate.passed.wait(0.01)
    assert not pool.is_busy("test.low")


def test_idle_threads_keep_nothing_of_a_call() -> None:
    gate, pool = Gate(), StagePool()
    reference = weakref.ref(gate)
    gate.opened.set()
    assert pool.submit(gate, "low").wait(PATIENCE)
    del gate
    end = time.monotonic() + PATIENCE
    while reference() is not None and time.monotonic() < end:  # until the thread is idle
        time.sleep(0.001)
    assert reference() is None


def test_two_stages_may_be_late_in_one_request() -> None:
    gate = Gate()
    slow = {"act": gate, "budget_ms": 1.0}
    late = {name: STAGES[name].model_copy(update=slow) for name in ("even", "by_row", "low")}
    trace = run(pipeline_of({**STAGES, **late}))
    gate.opened.set()
    assert [name for name, status in statuses(trace).items() if status == "late"] == [
        *("low", "even", "by_row")
    ]
    assert len(trace.rows) == 5


def test_a_stage_that_does_not_apply_is_idle() -> None:
    class Searching(Listed):
        def idle(self, context: FeedContext) -> str:
            return "the request has no search terms"

    trace = run(pipeline_of({**STAGES, "low": Searching(name="low", rows=(2,))}))
    assert [(each.status, each.message) for each in trace.reports() if each.stage == "low"] == [
        ("idle", "the request has no search terms")
    ]


def test_scores_that_are_not_finite_come_last() -> None:
    given = {39: np.nan, 37: np.inf, 35: -np.inf, 11: 100.0}
    high = STAGES["high"]
    by_row = STAGES["by_row"].model_copy(update={"given": given})
    trace = run(pipeline_of({"high": high, "by_row": by_row}), k=30)
    assert trace.rows.tolist()[:2] == [11, 38]
    assert set(trace.rows.tolist()[-3:]) == {35, 37, 39}


def test_duplicates_unknown_rows_and_rows_beyond_k_are_dropped_at_the_source() -> None:
    listed = Listed(name="listed", rows=(3, 3, 999, -1, 7, 5), k=4)
    trace = run(pipeline_of({"listed": listed}))
    assert trace.rows.tolist() == [3, 7, 5]
    assert trace.state.candidates.ranks[:, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("rows", [(), (1, 3)])
def test_an_empty_feed_is_an_answer(rows: tuple[int, ...]) -> None:
    stages = {**STAGES, "high": Listed(name="high", rows=rows), "low": Listed(name="low")}
    trace = run(pipeline_of(stages))
    assert len(trace.rows) == 0
    assert set(statuses(trace).values()) == {"ok"}


def test_the_merged_candidates_are_limited() -> None:
    trace = run(pipeline_of(STAGES, limit=8), k=50)
    assert len(lost(trace)["merge"]) == 40 - 8


def test_two_stages_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two stages of the feed 'test' are called 'low'"):
        Pipeline("test", sources=(Listed(name="low"), Listed(name="low")))


def test_a_stage_is_found_by_its_name() -> None:
    with pytest.raises(ConfigError, match="no stage 'evne'.*did you mean 'even'"):
        pipeline_of(STAGES).stage("evne")
