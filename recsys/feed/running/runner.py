"""The runner: sources side by side, then one stage after the other, each within its time.

A stage that fails, is late or is busy has no effect, except for a filter that removes all
candidates then; its record says so. A late result is discarded.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from functools import partial

import numpy as np

from recsys.feed.candidates import Retrieved, merge
from recsys.feed.context import FeedContext
from recsys.feed.pipeline import FEED, MERGE, Pipeline
from recsys.feed.running.applying import retrieve
from recsys.feed.running.chain import Chain
from recsys.feed.running.outcomes import failed, key_of, late, not_called
from recsys.feed.running.pool import Call, StagePool
from recsys.feed.running.time_limits import Limit, RequestTime
from recsys.feed.running.trace import EMPTY, StageRecord, State, Trace
from recsys.feed.stages import Source

_Running = Call[tuple[Retrieved, float]]


def run_pipeline(
    pipeline: Pipeline, context: FeedContext, pool: StagePool, time_left: RequestTime | None = None
) -> Trace:
    """The feed of one request; no stage can make it fail, or let it wait beyond its time.

    Args:
        pipeline: Stages and their budgets.
        context: The request.
        pool: Threads of the stages.
        time_left: Time of the request; None for the budget of the pipeline alone.
    """
    begin = time.perf_counter()
    limits = (time_left or RequestTime(math.inf)).within(pipeline.budget_ms)
    found = _retrieve(pipeline, context, pool, limits)
    records = list(found)
    lists = {each.stage: each.retrieved for each in found if each.retrieved is not None}
    merged = _merge(pipeline, lists)
    records.append(merged)
    assert merged.after is not None
    chain = Chain(pipeline, context, pool, State(merged.after), limits)
    state = chain.result()
    records += chain.records
    cut = _cut(state, context.k)
    records.append(
        StageRecord(
            *(FEED, "slots", "ok"),
            before=state.candidates,
            after=cut.candidates,
            reasons=(f"it is beyond the last of the {context.k} positions",),
        )
    )
    return Trace(cut, tuple(records), time.perf_counter() - begin)


def _retrieve(
    pipeline: Pipeline, context: FeedContext, pool: StagePool, limits: RequestTime
) -> list[StageRecord]:
    """One record per source, in the order of the pipeline."""
    begin = time.perf_counter()
    records: list[StageRecord | None] = []
    calls: dict[int, tuple[Source, _Running, Limit]] = {}
    for position, source in enumerate(pipeline.sources):
        record = not_called(source, context, pool, pipeline.name)
        records.append(record)
        if record is None:
            run = partial(_timed, source, context)
            call = pool.submit(run, key_of(pipeline.name, source))
            calls[position] = source, call, limits.limit(source.budget_ms)
    for position, (source, call, limit) in calls.items():
        if not call.wait(limit.left) and pool.abandon(call):
            records[position] = late(source, limit, time.perf_counter() - begin)
        elif call.error is not None:
            records[position] = failed(source, call.error, time.perf_counter() - begin)
        else:
            assert call.value is not None
            retrieved, seconds = call.value
            records[position] = StageRecord(
                *(source.title, source.role, "ok", seconds), retrieved=retrieved
            )
    return [record for record in records if record is not None]


def _timed(source: Source, context: FeedContext) -> tuple[Retrieved, float]:
    begin = time.perf_counter()
    return retrieve(source, context), time.perf_counter() - begin


def _merge(pipeline: Pipeline, lists: Mapping[str, Retrieved]) -> StageRecord:
    begin = time.perf_counter()
    weights = {source.title: source.weight for source in pipeline.sources}
    found = merge(lists, weights=weights) if lists else EMPTY
    kept = found if len(found) <= pipeline.limit else found.take(np.arange(pipeline.limit))
    return StageRecord(
        *(MERGE, "merge", "ok", time.perf_counter() - begin),
        before=found,
        after=kept,
        reasons=(f"it is beyond the first {pipeline.limit:,} merged candidates",),
    )


def _cut(state: State, k: int) -> State:
    if len(state.candidates) <= k:
        return state
    first = np.arange(k)
    return State(
        state.candidates.take(first),
        None if state.kinds is None else state.kinds[:k],
        None if state.propensities is None else state.propensities[:k],
    )
