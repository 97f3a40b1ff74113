"""Training of one trial."""

from __future__ import annotations

import gc
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from recsys.errors import RecsysError
from recsys.files import read_json
from recsys.pipeline.training import train_towers
from recsys.progress import Progress
from recsys.tuning.trial_data import TrialData
from recsys.tuning.trial_store import State, Trial, TrialStore

EPOCHS = "epochs.json"


class PrunedTrial(Exception):
    """The pruner stopped the trial."""


class OutOfTime(Exception):
    """The time of the study is over."""


def train_trial(
    trial: Trial,
    store: TrialStore,
    folder: Path,
    *,
    trial_run: Callable[[Progress], TrialData],
    progress: Progress,
    seconds_left: float,
) -> Trial:
    """Train a trial in ``folder``, or continue there; an error is the failure of this trial only.

    Args:
        trial: Trial to train.
        store: Store of its epochs and of its end.
        folder: Folder of its checkpoints; after the training it holds the epochs only.
        trial_run: Function that makes its run, given the run's progress callback.
        progress: Callback for the progress of the work.
        seconds_left: Time after which it is interrupted within an epoch; it can be continued.

    Returns:
        The trial after its end.

    Raises:
        OutOfTime: It was interrupted.
    """
    start = time.monotonic()

    def seconds() -> float:
        return time.monotonic() - start

    def timed(description: str, done: int, total: int, note: str = "") -> None:
        progress(description, done, total, note)
        if seconds() >= seconds_left:
            raise OutOfTime

    def watch(figure: float) -> None:
        if math.isfinite(figure):  # otherwise the training itself raises
            store.report(trial, epoch=_count_epochs(folder) + 1, figure=figure)
            store.set_seconds(trial, trial.seconds + seconds())
            if store.should_prune(trial):
                raise PrunedTrial

    state: State = "complete"
    figure, reason = None, ""
    try:
        figure = train_towers(trial_run(timed), folder, watch=watch).validation
    except PrunedTrial:
        state = "pruned"
    except OutOfTime:
        raise
    except Exception as error:  # any error of one trial leaves the others alone
        message = error.message if isinstance(error, RecsysError) else None
        state, reason = "failed", message or f"{type(error).__name__}: {error}"
    finally:
        store.set_seconds(trial, trial.seconds + seconds())
        gc.collect()  # a model has reference cycles, and the next one needs its memory
    ended = store.finish(trial, state, figure=figure, reason=reason)
    keep_epochs(folder)
    return ended


def keep_epochs(folder: Path) -> None:
    """Delete all of a training but the record of its epochs."""
    for part in folder.iterdir() if folder.is_dir() else ():
        if part.is_dir():
            shutil.rmtree(part)
        elif part.name != EPOCHS:
            part.unlink()


def _count_epochs(folder: Path) -> int:
    """Number of recorded epochs of all members and a student."""
    whole = folder / EPOCHS  # of an ensemble it is written at the end, with the epochs of all
    files = [whole] if whole.is_file() else list(folder.glob(f"*/{EPOCHS}"))
    return sum(len(read_json(file)) for file in files)
