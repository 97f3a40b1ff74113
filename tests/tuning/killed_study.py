"""A study that kills itself at a moment: killed_study.py STUDY RUNS [TRIAL PROGRESS].

It dies when, in this trial, a piece of work begins with PROGRESS; without them it goes to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from recsys.tuning.running import tune
from recsys.tuning.study import open_study
from tests.tuning.tiny import RecordingObserver


def main(config: str, runs: str, trial: str = "0", moment: str = "") -> None:
    observer = RecordingObserver()

    def progress(description: str, done: int, total: int, note: str = "") -> None:
        if description.startswith("train, epoch"):
            print(len(observer.proposals), description, flush=True)
        if moment and description.startswith(moment) and len(observer.proposals) == int(trial):
            os.kill(os.getpid(), signal.SIGKILL)

    study = open_study(Path(config), runs=Path(runs), progress=progress)
    tune(study, command="again", observer=observer)


if __name__ == "__main__":
    main(*sys.argv[1:])
