"""The supervisor: it starts the workers, replaces those that die, and stops all of them."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from recsys_server.operations.configuration import ShownSetting
from recsys_server.operations.record import ServiceRecord
from recsys_server.processes import signals
from recsys_server.processes.addresses import Reservation
from recsys_server.processes.checking import log_reload
from recsys_server.processes.job import Job
from recsys_server.security.rates import shared_file
from recsys_server.settings import Settings

FIRST_DELAY, LAST_DELAY = 0.5, 30.0
"""Seconds before a dead worker is replaced: doubled each time, to the second value."""
STABLE_SECONDS = 60.0
"""Time after which a worker counts as stable, so that its replacement starts without a delay."""
KILL_SECONDS = 1.0
"""Time beyond the grace period after which a worker is killed."""
HANG_SECONDS = 60.0
"""Time without a report after which a worker is killed and replaced."""
REPORT_BYTES = 1 << 24
"""Largest report of a worker."""
WORKER = "recsys_server.processes.worker"
_log = logging.getLogger("recsys_server.supervisor")


class Supervisor:
    """The workers of a service.

    Args:
        settings: Settings of the service.
        reservation: The addresses that the workers share.
        ready: Called once, when every worker is ready.
        module: Module that is run as a worker.
        shown: The settings as operators see them.
    """

    def __init__(
        self,
        settings: Settings,
        reservation: Reservation,
        *,
        ready: Callable[[], None],
        module: str = WORKER,
        shown: Sequence[ShownSetting] = (),
    ) -> None:
        self._settings = settings
        self._reservation = reservation
        self._announce = ready
        self._module = module
        self._shown = shown
        self._stopping = asyncio.Event()
        self._failed = False
        self.record = ServiceRecord(settings.workers)
        self._ready: set[int] = set()
        self._alive: dict[int, float] = {}
        self._version: str | None = None
        self._announced = False
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._rates = None if settings.tokens is None else shared_file()

    @property
    def _count(self) -> str:
        return f"{self._settings.workers} worker{'s' * (self._settings.workers > 1)}"

    @property
    def ready_workers(self) -> int:
        """Number of workers that answer; 0 once a stop has begun."""
        return 0 if self._stopping.is_set() else len(self._ready)

    def stop(self) -> None:
        """Begin to stop; :meth:`run` returns when every worker has ended."""
        self._stopping.set()

    async def run(self) -> int:
        """Keep the workers running until :meth:`stop`.

        Returns:
            The exit code: 0, or 1 if a worker could not start at all.
        """
        _log.info("starting %s", self._count)
        keepers = [
            asyncio.create_task(self._keep(number)) for number in range(self._settings.workers)
        ]
        watching = asyncio.create_task(self._kill_hanging())
        await self._stopping.wait()
        watching.cancel()
        if not self._failed:
            _log.info("stopping %s", self._count)
        await self._end_workers()
        await asyncio.gather(*keepers)
        return 1 if self._failed else 0

    async def _keep(self, number: int) -> None:
        """Run a worker, and replace it when it dies."""
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._run_worker(number)
            if self._stopping.is_set():
                return
            if not self._announced:  # the service never started: the worker has logged the reason
                if code < 0:
                    _log.error("worker %d was ended by %s", number, _signal_name(code))
                self._failed = True
                self._stopping.set()
                return
            if time.monotonic() - began >= STABLE_SECONDS:
                delay = FIRST_DELAY
            reason = _signal_name(code) if code < 0 else f"exit code {code}"
            _log.error("worker %d died (%s); it is replaced in %g s", number, reason, delay)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, LAST_DELAY)

    async def _run_worker(self, number: int) -> int:
        """Start a worker and follow its reports until it ends; returns its exit code."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=REPORT_BYTES,
            start_new_session=True,  # Ctrl-C in a terminal reaches the supervisor only
            pass_fds=() if self._rates is None else (self._rates,),
        )
        assert process.stdin is not None and process.stdout is not None
        self._processes[number] = process
        self.record.begin(number, process.pid)
        try:
            if self._stopping.is_set():  # it came while the process was being made
                process.kill()
            addresses = self._reservation.addresses
            job = Job(
                *(self._settings, addresses, number),
                fallback=self._version,
                rates=self._rates,
                shown=self._shown,
            )
            with suppress(OSError):  # it died at once
                process.stdin.write(job.to_line())
                await process.stdin.drain()
            while line := await process.stdout.readline():
                message = json.loads(line)
                if "ask" in message:
                    self._answer(process.stdin, message)
                else:
                    self._take(number, message)
            return await process.wait()
        finally:
            self._ready.discard(number)
            if not self._stopping.is_set():
                self.record.end(number)
            del self._processes[number]

    def _take(self, number: int, report: dict[str, Any]) -> None:
        """Follow a report of a worker."""
        self._alive[number] = time.monotonic()
        self.record.take(number, report)
        self._version = report["version"]
        if number not in self._ready:
            self._ready.add(number)
            _log.info(
                "worker %d (process %d) is ready with bundle %s",
                *(number, self._processes[number].pid, report["version"]),
            )
        if len(self._ready) == self._settings.workers and not self._announced:
            self._announced = True
            self._announce()

    def _answer(self, writer: asyncio.StreamWriter, question: dict[str, Any]) -> None:
        """Answer a question of a worker, unless it does not read its answers."""
        if writer.is_closing() or writer.transport.get_write_buffer_size() > REPORT_BYTES:
            return
        answer = self.record.answer(question["about"], question["most"])
        writer.write(json.dumps({"ask": question["ask"], "answer": answer}).encode() + b"\n")

    async def _kill_hanging(self) -> None:
        """Kill a worker that has not reported for long; it is then replaced."""
        while True:
            await asyncio.sleep(1.0)
            self.record.tick()
            for number in list(self._ready):
                silent = time.monotonic() - self._alive[number]
                if silent > HANG_SECONDS:
                    _log.error("worker %d has not reported for %.0f s; killing it", number, silent)
                    with suppress(ProcessLookupError, KeyError):
                        self._processes[number].kill()

    async def _end_workers(self) -> None:
        """Let the workers that answer finish; end those that do not answer yet."""
        for number, process in list(self._processes.items()):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM if number in self._ready else signal.SIGKILL)
        seconds = self._settings.drain + self._settings.grace + KILL_SECONDS
        deadline = time.monotonic() + seconds
        while self._processes and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for number, process in list(self._processes.items()):
            _log.warning("worker %d did not end within the grace period; it was killed", number)
            with suppress(ProcessLookupError):
                process.kill()


def supervise(
    settings: Settings,
    reservation: Reservation,
    *,
    ready: Callable[[], None],
    module: str = WORKER,
    shown: Sequence[ShownSetting] = (),
) -> int:
    """Run the workers until SIGTERM or SIGINT; returns the exit code.

    A signal that came before, after ``signals.catch()``, is not lost.
    """

    async def run() -> int:
        supervisor = Supervisor(settings, reservation, ready=ready, module=module, shown=shown)
        loop = asyncio.get_running_loop()
        signals.call_on_stop(supervisor.stop, loop)
        signals.call_on_reload(partial(loop.run_in_executor, None, log_reload, settings), loop)
        with _pages(settings, supervisor):
            return await supervisor.run()

    return asyncio.run(run())


@contextmanager
def _pages(settings: Settings, supervisor: Supervisor) -> Iterator[None]:
    """The pages of metrics and health, if there is a port for them."""
    if settings.metrics_port is None:
        yield
        return
    from recsys_server.metrics.endpoint import Endpoint

    pages = Endpoint(
        supervisor.record.metrics,
        host=settings.metrics_host,
        port=settings.metrics_port,
        ready=lambda: supervisor.ready_workers > 0,
    )
    _log.info("metrics at http://%s/metrics", pages.address)
    try:
        yield
    finally:
        pages.close()


def _signal_name(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
