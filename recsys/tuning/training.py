"""One trial, from its configuration to how it ended."""

from __future__ import annotations

import gc
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.errors import RecsysError
from recsys.files import read_json
from recsys.pipeline.training import train_towers
from recsys.progress import Progress
from recsys.tuning.candidate import Candidate
from recsys.tuning.memory import Memory, State, Trial

if TYPE_CHECKING:
    from recsys.towers import FitResult

EPOCHS = "epochs.json"


class Hopeless(Exception):
    """The pruner has seen enough."""


class OutOfTime(Exception):
    """The minutes of the study are over."""


def train_trial(
    trial: Trial,
    memory: Memory,
    folder: Path,
    *,
    candidate: Callable[[Progress], Candidate],
    progress: Progress,
    seconds_left: float,
) -> Trial:
    """Train a trial in ``folder``, or go on there; whatever fails is its own failure.

    Args:
        trial: What was proposed.
        memory: Told of every epoch and of the end.
        folder: Where the training keeps its checkpoints; once it has ended, only its epochs.
        candidate: Makes the run that it is, which tells the progress given of its steps.
        progress: Told how far the work is.
        seconds_left: When they are over the trial stops within its epoch, and can go on.

    Returns:
        The trial as it ended.

    Raises:
        OutOfTime: It was stopped in the middle.
    """
    clock = _Clock(trial, memory, seconds_left)

    def timed(description: str, done: int, total: int, note: str = "") -> None:
        progress(description, done, total, note)
        clock.check()

    def watch(figure: float) -> None:
        if math.isfinite(figure):  # otherwise the training itself says what is wrong
            memory.tell(trial, epoch=_epochs_in(folder) + 1, figure=figure)
            clock.note()
            if memory.hopeless(trial):
                raise Hopeless

    try:
        outcome = _outcome(lambda: train_towers(candidate(timed), folder, watch=watch))
    finally:
        clock.note()
        gc.collect()  # a model is a circle of references, and the next one needs its memory
    ended = memory.finish(trial, outcome.state, figure=outcome.figure, reason=outcome.reason)
    keep_epochs(folder)
    return ended


def keep_epochs(folder: Path) -> None:
    """Leave of a training nothing but the record of its epochs."""
    for part in folder.iterdir() if folder.is_dir() else ():
        if part.is_dir():
            shutil.rmtree(part)
        elif part.name != EPOCHS:
            part.unlink()


@dataclass(frozen=True)
class _Outcome:
    state: State
    figure: float | None = None
    reason: str = ""


def _outcome(train: Callable[[], FitResult]) -> _Outcome:
    try:
        fitted = train()
    except Hopeless:
        return _Outcome("pruned")
    except OutOfTime:
        raise
    except Exception as error:  # One trial's fault, whatever it is, must not cost the others.
        return _Outcome("failed", reason=_reason(error))
    return _Outcome("complete", figure=fitted.validation)


class _Clock:
    """How long a trial takes, over all calls."""

    def __init__(self, trial: Trial, memory: Memory, seconds_left: float) -> None:
        self._trial, self._memory = trial, memory
        self._began, self._left = time.monotonic(), seconds_left

    def note(self) -> None:
        self._memory.spent(self._trial, self._trial.seconds + time.monotonic() - self._began)

    def check(self) -> None:
        if time.monotonic() - self._began >= self._left:
            raise OutOfTime


def _epochs_in(folder: Path) -> int:
    """Whole epochs on record, of all members and a student."""
    whole = folder / EPOCHS  # of several members written at the end, all epochs in it
    files = [whole] if whole.is_file() else list(folder.glob(f"*/{EPOCHS}"))
    return sum(len(read_json(file)) for file in files)


def _reason(error: Exception) -> str:
    if isinstance(error, RecsysError):
        return error.message
    return f"{type(error).__name__}: {error}"
