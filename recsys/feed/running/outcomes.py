"""Records of stages: those that ran, and the state after those that did not work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.errors import RecsysError
from recsys.feed.context import FeedContext
from recsys.feed.running.applying import Effect
from recsys.feed.running.pool import StagePool
from recsys.feed.running.time_limits import Limit
from recsys.feed.running.trace import StageRecord, State
from recsys.feed.stages import Filter, Stage
from recsys_client.feed import StageStatus
from recsys_client.feed.response import DEGRADED

_BUSY = "earlier calls are late and still run"


def key_of(pipeline: str, stage: Stage) -> str:
    """Name under which the late calls of a stage are counted."""
    return f"{pipeline}.{stage.title}"


def not_called(
    stage: Stage, context: FeedContext, pool: StagePool, pipeline: str
) -> StageRecord | None:
    """The record of a stage that is not called, or None."""
    status: StageStatus
    if not stage.enabled:
        status, message = "off", "the pipeline disables it"
    elif pool.is_busy(key_of(pipeline, stage)):
        status, message = "busy", _BUSY
    else:
        try:
            status, message = "idle", stage.idle(context)
        except Exception as error:
            return failed(stage, error, 0.0)
        if not message:
            return None
    return _record(stage, status, 0.0, message)


def ok(stage: Stage, effect: Effect, seconds: float) -> StageRecord:
    """The record of a stage that ran."""
    return StageRecord(
        *(stage.title, stage.role, "ok", seconds),
        reasons=effect.reasons,
        codes=effect.codes,
        because=effect.because,
        table=effect.table,
    )


def late(stage: Stage, limit: Limit, seconds: float) -> StageRecord:
    """The record of a stage that was not done within its limit."""
    return _record(stage, "late", seconds, limit.message)


def failed(stage: Stage, error: BaseException, seconds: float) -> StageRecord:
    """The record of a stage that raised an error."""
    known = isinstance(error, RecsysError)
    message = str(error) if known else f"{type(error).__name__}: {error}"
    return _record(stage, "failed", seconds, message)


def state_without(stage: Stage, record: StageRecord, state: State) -> State:
    """The state after a stage that did not run: a filter may remove all, others have no effect."""
    if not _removes_all(stage, record.status):
        return state
    return replace(state, candidates=state.candidates.take(np.empty(0, np.intp)))


def _record(stage: Stage, status: StageStatus, seconds: float, message: str) -> StageRecord:
    reasons: tuple[str, ...] = ()
    if _removes_all(stage, status):
        reasons = (f"the filter did not work ({status}), and then removes all candidates",)
        message += "; it removes all candidates then"
    return StageRecord(stage.title, stage.role, status, seconds, message, reasons=reasons)


def _removes_all(stage: Stage, status: StageStatus) -> bool:
    return isinstance(stage, Filter) and stage.on_failure == "remove" and status in DEGRADED
