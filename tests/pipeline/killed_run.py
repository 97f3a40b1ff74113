"""A run that kills itself at a moment: killed_run.py CONFIG RUNS STAGE [PROGRESS].

PROGRESS is how the piece of work begins during which it dies; without it the run goes to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from recsys.pipeline import StageResult, open_job, run_job


class Told:
    """Prints what becomes of the stages."""

    def starting(self, stage: str, reason: str) -> None:
        print("starting", stage, flush=True)

    def finished(self, done: StageResult) -> None:
        print("reused" if done.reused else "done", done.stage, flush=True)


def main(config: str, runs: str, stage: str, moment: str = "") -> None:
    def progress(description: str, done: int, total: int, note: str = "") -> None:
        if moment and description.startswith(moment):
            os.kill(os.getpid(), signal.SIGKILL)

    run_job(
        open_job(Path(config), runs=Path(runs), progress=progress), until=stage, observer=Told()
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
