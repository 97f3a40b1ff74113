"""A worker of a :class:`LineRetriever`: it writes "entered" for each query; OPEN opens its gate."""

from __future__ import annotations

import signal
import sys
import threading

from recsys_server.processes import worker
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.job import Job
from tests.server.service_world import LineRetriever, rollout_of

OPEN = signal.SIGUSR1


def begin(job: Job) -> BundleFollower:
    """One such retriever, which no bundle ever replaces."""
    retriever = LineRetriever()

    def report() -> None:
        while retriever.entered.acquire():
            print("entered", file=sys.stderr, flush=True)

    threading.Thread(target=report, daemon=True).start()
    signal.signal(OPEN, lambda *_: retriever.gate.set())
    rollout = rollout_of(retriever)
    return BundleFollower(
        job.settings.bundles, rollout, lambda _: rollout.current.active, version="v7"
    )


if __name__ == "__main__":
    worker.main(begin)
