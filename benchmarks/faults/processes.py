"""A service as a process, what it has started, and what all of them take."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Victim = Literal["worker", "supervisor", "all"]
WAIT = 200.0
"""Seconds after which a service that does not answer is a failure."""


@dataclass
class Service:
    """A service as a process, which can be killed and started again on the same port.

    Args:
        command: Command that serves.
        log: File of its log.
    """

    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it has printed its address."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log)
        assert self.process.stdout is not None
        with self.process.stdout as printed:
            address = printed.readline()
        if not address:
            raise RuntimeError(f"the service did not start: {self.log.read_text()[-2000:]}")

    def kill(self, victim: Victim, rng: random.Random) -> None:
        """Kill a worker, the supervisor, or all at once."""
        assert self.process is not None
        workers, others = children(self.process.pid), descendants(self.process.pid)
        if victim == "worker":
            chosen = [rng.choice(workers)] if workers else []
        else:
            chosen = [self.process.pid, *(others if victim == "all" else [])]
        for each in chosen:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        if victim == "worker":
            return
        self.process.wait()
        wait_for(lambda: not any(map(is_running, others)))  # they end when the supervisor is gone
        self.start()

    def stop(self) -> int:
        """Stop it with SIGTERM; returns the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(WAIT)


@dataclass(frozen=True)
class Resources:
    """What a process and its descendants take.

    Attributes:
        memory_mb: Resident memory in MB that no file backs.
        descriptors: Number of open descriptors.
        threads: Number of threads.
    """

    memory_mb: float
    descriptors: int
    threads: int


def resources(process: int) -> Resources:
    """The resources of a process and its descendants; those that end meanwhile count in part."""
    memory, descriptors, threads = 0.0, 0, 0
    for each in [process, *descendants(process)]:
        with suppress(OSError):
            status = Path(f"/proc/{each}/status").read_text(encoding="utf-8")
            memory += sum(map(int, re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", status, re.M)))
            threads += int(re.findall(r"^Threads:\s+(\d+)", status, re.M)[0])
            descriptors += len(os.listdir(f"/proc/{each}/fd"))
    return Resources(memory / 1024, descriptors, threads)


def children(process: int) -> list[int]:
    """Processes that any thread of a process has started and that have not ended."""
    found = list[int]()
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            found += map(int, path.read_text(encoding="ascii").split())
    return found


def descendants(process: int) -> list[int]:
    """The children of a process, and theirs."""
    found = children(process)
    return [*found, *(each for child in found for each in descendants(child))]


def is_running(process: int) -> bool:
    """Whether a thread of a process has not ended: any of them may hold its sockets."""
    for thread in Path(f"/proc/{process}/task").glob("*/stat"):
        with suppress(OSError):  # the thread has ended
            if thread.read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX":
                return True
    return False


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until ``holds()``.

    Raises:
        TimeoutError: It never did.
    """
    deadline = time.monotonic() + WAIT
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the service did not get there")
        time.sleep(0.01)
