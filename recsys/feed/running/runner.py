"""The runner: sources side by side, then one stage after the other, each within its budget.

A stage that fails, is late or is busy has no effect, and its record says so. A late result is
discarded.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from recsys.errors import RecsysError
from recsys.feed.candidates import Retrieved, merge
from recsys.feed.context import FeedContext
from recsys.feed.pipeline import FEED, MERGE, Pipeline
from recsys.feed.running.applying import Effect, apply, retrieve
from recsys.feed.running.pool import Call, StagePool
from recsys.feed.running.trace import EMPTY, StageRecord, State, Trace
from recsys.feed.stages import Source, Stage
from recsys_client.feed import StageStatus

_BUSY = "earlier calls are late and still run"


def run_pipeline(pipeline: Pipeline, context: FeedContext, pool: StagePool) -> Trace:
    """The feed of one request; no stage can make it fail, or let it wait beyond its budget."""
    begin = time.perf_counter()
    found = _retrieve(pipeline, context, pool)
    records = list(found)
    lists = {each.stage: each.retrieved for each in found if each.retrieved is not None}
    merged = _merge(pipeline, lists)
    records.append(merged)
    assert merged.after is not None
    chain = _Chain(pipeline, context, pool, State(merged.after))
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


def _retrieve(pipeline: Pipeline, context: FeedContext, pool: StagePool) -> list[StageRecord]:
    """One record per source, in the order of the pipeline."""
    begin = time.perf_counter()
    records: list[StageRecord | None] = []
    calls: dict[int, tuple[Source, Call[tuple[Retrieved, float]]]] = {}
    for position, source in enumerate(pipeline.sources):
        record = _not_called(source, context, pool, pipeline.name)
        records.append(record)
        if record is None:
            run = partial(_timed, source, context)
            calls[position] = source, pool.submit(run, _key(pipeline, source))
    for position, (source, call) in calls.items():
        passed = time.perf_counter() - begin
        if not call.wait(source.budget_ms / 1000 - passed) and pool.abandon(call):
            seconds = time.perf_counter() - begin
            records[position] = _late(source, seconds)
        elif call.error is not None:
            seconds = time.perf_counter() - begin
            records[position] = _failed(source, call.error, seconds)
        else:
            assert call.value is not None
            retrieved, seconds = call.value
            records[position] = StageRecord(
                source.title, source.role, "ok", seconds, retrieved=retrieved
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


class _Chain:
    """The stages after the merge: a thread runs them, the caller watches their budgets.

    When a stage is late, its thread is abandoned and another one continues with the next stage.
    """

    def __init__(
        self, pipeline: Pipeline, context: FeedContext, pool: StagePool, state: State
    ) -> None:
        self._pipeline, self._context, self._pool = pipeline, context, pool
        self._stages, self._state = pipeline.later, state
        self._lock, self._done = threading.Lock(), threading.Event()
        self._at, self._began, self._worker = 0, time.perf_counter(), 0
        self.records: list[StageRecord] = []

    def result(self) -> State:
        """The state after the last stage."""
        if self._stages:
            call = self._start()
            while not self._done.wait(self._until_late()):
                with self._lock:
                    if self._done.is_set() or self._left() > 0:
                        continue  # The worker has gone on meanwhile.
                    stage = self._stages[self._at]
                    self._worker += 1
                    call.key = _key(self._pipeline, stage)
                    self._pool.abandon(call)
                    self._record(_late(stage, time.perf_counter() - self._began), self._state)
                if not self._done.is_set():
                    call = self._start()
        return self._state

    def _start(self) -> Call[None]:
        return self._pool.submit(partial(self._work, self._worker), self._pipeline.name)

    def _until_late(self) -> float:
        """Seconds during which no stage can become late."""
        later = self._stages[self._at + 1 :]
        return min(self._left(), *(stage.budget_ms / 1000 for stage in later), math.inf)

    def _left(self) -> float:
        """Seconds that are left of the budget of the stage that runs."""
        at = self._at
        if at == len(self._stages):
            return 0.0
        return self._began + self._stages[at].budget_ms / 1000 - time.perf_counter()

    def _work(self, worker: int) -> None:
        while not self._done.is_set():
            with self._lock:
                if worker != self._worker:
                    return
                stage, state = self._stages[self._at], self._state
                self._began = time.perf_counter()
            record, after = self._run(stage, state)
            with self._lock:
                if worker != self._worker:
                    return
                self._record(record, after)

    def _run(self, stage: Stage, state: State) -> tuple[StageRecord, State]:
        begin = time.perf_counter()
        record = _not_called(stage, self._context, self._pool, self._pipeline.name)
        if record is not None:
            return record, state
        try:
            effect = apply(stage, self._context, state)
        except Exception as error:
            return _failed(stage, error, time.perf_counter() - begin), state
        return _ok(stage, effect, time.perf_counter() - begin), effect.state

    def _record(self, record: StageRecord, after: State) -> None:
        self.records.append(replace(record, before=self._state.candidates, after=after.candidates))
        self._state, self._at, self._began = after, self._at + 1, time.perf_counter()
        if self._at == len(self._stages):
            self._done.set()


def _cut(state: State, k: int) -> State:
    if len(state.candidates) <= k:
        return state
    first = np.arange(k)
    return State(
        state.candidates.take(first),
        None if state.kinds is None else state.kinds[:k],
        None if state.propensities is None else state.propensities[:k],
    )


def _key(pipeline: Pipeline, stage: Stage) -> str:
    return f"{pipeline.name}.{stage.title}"


def _not_called(
    stage: Stage, context: FeedContext, pool: StagePool, pipeline: str
) -> StageRecord | None:
    """The record of a stage that is not called, or None."""
    status: StageStatus
    if not stage.enabled:
        status, message = "off", "the pipeline disables it"
    elif pool.is_busy(f"{pipeline}.{stage.title}"):
        status, message = "busy", _BUSY
    else:
        try:
            status, message = "idle", stage.idle(context)
        except Exception as error:
            return _failed(stage, error, 0.0)
        if not message:
            return None
    return StageRecord(stage.title, stage.role, status, message=message)


def _ok(stage: Stage, effect: Effect, seconds: float) -> StageRecord:
    return StageRecord(
        *(stage.title, stage.role, "ok", seconds),
        reasons=effect.reasons,
        codes=effect.codes,
        because=effect.because,
        table=effect.table,
    )


def _late(stage: Stage, seconds: float) -> StageRecord:
    message = f"it was not done after {stage.budget_ms:g} ms"
    return StageRecord(stage.title, stage.role, "late", seconds, message)


def _failed(stage: Stage, error: BaseException, seconds: float) -> StageRecord:
    known = isinstance(error, RecsysError)
    message = str(error) if known else f"{type(error).__name__}: {error}"
    return StageRecord(stage.title, stage.role, "failed", seconds, message)
