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
from tests.tuning.tiny import Told


def main(config: str, runs: str, trial: str = "0", moment: str = "") -> None:
    told = Told()

    def progress(what: str, done: int, total: int, note: str = "") -> None:
        if what.startswith("train, epoch"):
            print(len(told.proposals), what, flush=True)
        if moment and what.startswith(moment) and len(told.proposals) == int(trial):
            os.kill(os.getpid(), signal.SIGKILL)

    study = open_study(Path(config), runs=Path(runs), progress=progress)
    tune(study, command="again", observer=told)


if __name__ == "__main__":
    main(*sys.argv[1:])
