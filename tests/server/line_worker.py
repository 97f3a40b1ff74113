"""A worker of a :class:`LineRetriever`: it writes "entered" for each query; OPEN opens its gate."""

from __future__ import annotations

import signal
import sys
import threading

from recsys_server.processes import worker
from recsys_server.rollout import Rollout
from recsys_server.settings import Settings
from tests.server.service_world import LineRetriever, rollout_of

OPEN = signal.SIGUSR1


def load(settings: Settings) -> Rollout:
    """A rollout with one such retriever."""
    retriever = LineRetriever()

    def report() -> None:
        while retriever.entered.acquire():
            print("entered", file=sys.stderr, flush=True)

    threading.Thread(target=report, daemon=True).start()
    signal.signal(OPEN, lambda *_: retriever.gate.set())
    return rollout_of(retriever)


if __name__ == "__main__":
    worker.main(load)
