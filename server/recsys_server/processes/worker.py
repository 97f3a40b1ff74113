"""One worker: it loads a bundle, warms up, listens, and answers until it is stopped.

The supervisor starts it as ``python -m recsys_server.processes.worker``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from recsys.errors import RecsysError
from recsys_server.lifecycle import RetrievalServer
from recsys_server.logs import log_to_stderr
from recsys_server.processes.job import Job, report_line
from recsys_server.processes.loading import load_rollout
from recsys_server.rollout import Rollout
from recsys_server.settings import Settings

EXIT_SECONDS = 0.5
"""Time beyond the grace period after which a process that still runs is ended."""
_log = logging.getLogger("recsys_server.worker")


def main(load: Callable[[Settings], Rollout] = load_rollout) -> None:
    """Work until SIGTERM, or until the supervisor is gone; always ends the process."""
    job = Job.from_line(sys.stdin.buffer.readline())
    log_to_stderr(job.settings.log)
    reports = os.dup(1)
    os.dup2(2, 1)  # libraries that print to standard output write to the log
    code = 0
    try:
        rollout = load(job.settings)
        asyncio.run(_serve(rollout, job, reports))
    except RecsysError as error:
        _log.error("%s (%s)", error.message, error.code)
        code = 1
    except Exception:
        _log.exception("the worker failed")
        code = 2
    _exit(code)


async def _serve(rollout: Rollout, job: Job, reports: int) -> None:
    settings = job.settings
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    server = await RetrievalServer.start(
        rollout, addresses=job.addresses, threads=settings.threads, limits=settings.limits
    )
    # Until here SIGTERM ends the process at once: there is no request to finish.
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    threading.Thread(target=_watch_supervisor, args=(loop, stopping), daemon=True).start()
    version = rollout.current.active.version
    os.write(reports, report_line({"event": "ready", "version": version}))
    await stopping.wait()
    _log.info("stopping; %d requests in flight have %g seconds", server.in_flight, settings.grace)
    _end_after(settings.drain + settings.grace + EXIT_SECONDS)
    cut_off = await server.stop(settings.grace, drain=settings.drain)
    if cut_off:
        _log.warning("stopped; %d requests were cut off after %g seconds", cut_off, settings.grace)
    else:
        _log.info("stopped; every request that had begun was answered")
    # Work of calls that have expired may still run; the process does not wait for it.
    _exit(0)


def _watch_supervisor(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """Stop when standard input ends."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    _log.warning("the supervisor is gone; stopping")
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(stopping.set)


def _end_after(seconds: float) -> None:
    """End the process after some seconds, whatever it does then."""

    def end() -> None:
        _log.warning("work was still running after the grace period; it was ended")
        _exit(0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _exit(code: int) -> None:
    """End the process at once: Python would wait for threads of expired calls."""
    logging.shutdown()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
