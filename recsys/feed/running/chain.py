"""The stages after the merge, one after the other, each within its time."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from functools import partial

from recsys.feed.context import FeedContext
from recsys.feed.pipeline import Pipeline
from recsys.feed.running.applying import apply
from recsys.feed.running.outcomes import failed, key_of, late, not_called, ok, state_without
from recsys.feed.running.pool import Call, StagePool
from recsys.feed.running.time_limits import RequestTime
from recsys.feed.running.trace import StageRecord, State
from recsys.feed.stages import Stage


class Chain:
    """The stages after the merge: a thread runs them, the caller watches their time.

    When a stage is late, its thread is abandoned and another one continues with the next stage.

    Args:
        pipeline: The pipeline.
        context: The request.
        pool: Threads of the stages.
        state: State after the merge.
        limits: Time of the request.

    Attributes:
        records: Record of each stage so far.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        context: FeedContext,
        pool: StagePool,
        state: State,
        limits: RequestTime,
    ) -> None:
        self._pipeline, self._context, self._pool = pipeline, context, pool
        self._stages, self._state, self._limits = pipeline.later, state, limits
        self._lock, self._done = threading.Lock(), threading.Event()
        self._at, self._worker = 0, 0
        self.records: list[StageRecord] = []
        self._begin()

    def result(self) -> State:
        """The state after the last stage."""
        if self._stages:
            call = self._start()
            while not self._done.wait(self._until_late()):
                with self._lock:
                    if self._done.is_set() or self._limit.left > 0:
                        continue  # The worker has gone on meanwhile.
                    stage = self._stages[self._at]
                    self._worker += 1
                    call.key = key_of(self._pipeline.name, stage)
                    self._pool.abandon(call)
                    record = late(stage, self._limit, time.perf_counter() - self._began)
                    self._record(record, state_without(stage, record, self._state))
                if not self._done.is_set():
                    call = self._start()
        return self._state

    def _start(self) -> Call[None]:
        return self._pool.submit(partial(self._work, self._worker), self._pipeline.name)

    def _begin(self) -> None:
        """Let the time of the next stage begin."""
        self._began = time.perf_counter()
        budget = self._stages[self._at].budget_ms if self._at < len(self._stages) else 0.0
        self._limit = self._limits.limit(budget)

    def _until_late(self) -> float:
        """Seconds during which no stage can become late.

        The limit of a later stage is its budget, or half of a time that has not begun to pass.
        """
        own = [stage.budget_ms / 1000 for stage in self._stages[self._at + 1 :]]
        half = (self._limits.end - time.perf_counter()) / 2 if own else math.inf
        return max(min(self._limit.left, half, *own, math.inf), 0.0)

    def _work(self, worker: int) -> None:
        while not self._done.is_set():
            with self._lock:
                if worker != self._worker:
                    return
                stage, state = self._stages[self._at], self._state
                self._begin()
            record, after = self._run(stage, state)
            with self._lock:
                if worker != self._worker:
                    return
                self._record(record, after)

    def _run(self, stage: Stage, state: State) -> tuple[StageRecord, State]:
        begin = time.perf_counter()
        record = not_called(stage, self._context, self._pool, self._pipeline.name)
        if record is None:
            try:
                effect = apply(stage, self._context, state)
            except Exception as error:
                record = failed(stage, error, time.perf_counter() - begin)
            else:
                return ok(stage, effect, time.perf_counter() - begin), effect.state
        return record, state_without(stage, record, state)

    def _record(self, record: StageRecord, after: State) -> None:
        self.records.append(replace(record, before=self._state.candidates, after=after.candidates))
        self._state, self._at = after, self._at + 1
        self._begin()
        if self._at == len(self._stages):
            self._done.set()
