"""One worker: it loads a bundle, warms up, listens, and answers until it is stopped.

The supervisor starts it as ``python -m recsys_server.processes.worker``.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from recsys.errors import RecsysError
from recsys.pictures.isolation import IsolatedDecoder
from recsys_server.lifecycle import RetrievalServer
from recsys_server.metrics.observation import Observation
from recsys_server.metrics.sampling import Sampler
from recsys_server.metrics.tracing import trace_interceptors
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.operations.overview import SupervisorLine
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.job import Job
from recsys_server.processes.loading import load
from recsys_server.processes.logs import log_to_stderr
from recsys_server.security.access import Access
from recsys_server.security.rates import SharedRates

EXIT_SECONDS = 0.5
"""Time beyond the grace period after which a process that still runs is ended."""
ALIVE_SECONDS = 1.0
"""Time between two reports of a worker."""
_log = logging.getLogger("recsys_server.worker")


def begin(job: Job) -> BundleFollower:
    """The bundles with which a worker begins."""
    settings, decoder = job.settings, IsolatedDecoder()
    return BundleFollower.begin(
        settings.bundles,
        lambda version: load(
            settings.bundles,
            version,
            store=settings.store,
            unknown_user=settings.unknown_user,
            audit=settings.audit,
            decoder=decoder,
            pictures=settings.pictures,
        ),
        version=settings.version,
        fallback=job.fallback,
    )


def main(begin: Callable[[Job], BundleFollower] = begin) -> None:
    """Work until SIGTERM, or until the supervisor is gone; always ends the process."""
    job = Job.from_line(sys.stdin.buffer.readline())
    log_to_stderr(job.settings.log)
    reports = os.dup(1)
    os.dup2(2, 1)  # libraries that print to standard output write to the log
    code = 0
    try:
        asyncio.run(_serve(begin(job), job, reports))
    except RecsysError as error:
        _log.error("%s (%s)", error.message, error.code)
        code = 1
    except Exception:
        _log.exception("the worker failed")
        code = 2
    _exit(code)


async def _serve(follower: BundleFollower, job: Job, reports: int) -> None:
    settings, rollout = job.settings, follower.rollout
    stopping = asyncio.Event()
    loop, line = asyncio.get_running_loop(), SupervisorLine(reports)
    metrics = WorkerMetrics()
    observation = Observation(
        *(metrics, settings.slow or math.inf, settings.channelz),
        trace_interceptors(settings.traces),
    )
    server = await RetrievalServer.start(
        rollout,
        addresses=job.addresses,
        threads=settings.threads,
        limits=settings.limits,
        follower=follower,
        tls=settings.tls,
        access=_access(job),
        observation=observation,
        overview=line,
        settings=job.shown,
    )
    # Until here SIGTERM ends the process at once: there is no request to finish.
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    watch = (loop, stopping, line)
    threading.Thread(target=_watch_supervisor, args=watch, daemon=True).start()
    following = asyncio.create_task(follower.run(ThreadPoolExecutor(1, "bundles")))
    reporting = asyncio.create_task(_report(server, line))
    sampling = asyncio.create_task(_sample(follower, metrics))
    await stopping.wait()
    following.cancel()
    reporting.cancel()
    sampling.cancel()
    _log.info("stopping; %d requests in flight have %g seconds", server.in_flight, settings.grace)
    _end_after(settings.drain + settings.grace + EXIT_SECONDS)
    cut_off = await server.stop(settings.grace, drain=settings.drain)
    if cut_off:
        _log.warning("stopped; %d requests were cut off after %g seconds", cut_off, settings.grace)
    else:
        _log.info("stopped; every request that had begun was answered")
    # Work of calls that have expired may still run; the process does not wait for it.
    _exit(0)


def _access(job: Job) -> Access | None:
    """Tokens of the service, whose rates hold for all workers together."""
    tokens = job.settings.tokens
    return None if tokens is None else Access(tokens, rates=SharedRates(job.rates))


async def _sample(follower: BundleFollower, metrics: WorkerMetrics) -> None:
    """Read the gauges regularly; a store that hangs delays nothing else."""
    loop, executor = asyncio.get_running_loop(), ThreadPoolExecutor(1, "gauges")
    sampler = Sampler(metrics, follower.rollout)
    while True:
        try:
            await loop.run_in_executor(executor, sampler.sample, len(follower.refused))
        except Exception:
            _log.exception("the gauges could not be read")
        await asyncio.sleep(ALIVE_SECONDS)


async def _report(server: RetrievalServer, line: SupervisorLine) -> None:
    """State regularly that the worker answers, with which bundle, and its metrics."""
    while True:
        await line.send(server.report())
        await asyncio.sleep(ALIVE_SECONDS)


def _watch_supervisor(
    loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, answers: SupervisorLine
) -> None:
    """Take the answers of the supervisor, and stop when standard input ends."""
    with suppress(OSError, ValueError):  # of a line that was cut off
        while line := sys.stdin.buffer.readline():
            answers.take(line)
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
