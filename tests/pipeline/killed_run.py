"""A run that kills itself: killed_run.py CONFIG RUNS STAGE [PROGRESS].

It dies when the description of a progress begins with PROGRESS; without it, it completes.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from recsys.pipeline import Observer, StageResult, open_job, run_job


class Printer(Observer):
    """Prints the stages."""

    def starting(self, stage: str, reason: str) -> None:
        print("starting", stage, flush=True)

    def finished(self, result: StageResult) -> None:
        print("reused" if result.reused else "done", result.stage, flush=True)


def main(config: str, runs: str, stage: str, moment: str = "") -> None:
    def progress(description: str, done: int, total: int, note: str = "") -> None:
        if moment and description.startswith(moment):
            os.kill(os.getpid(), signal.SIGKILL)

    run_job(
        open_job(Path(config), runs=Path(runs), progress=progress), until=stage, observer=Printer()
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
