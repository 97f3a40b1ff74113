"""Servers of the benchmark: started on given cores, with their memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.parts import Setting


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        address: Address of its calls.
        process: Id of its first process.
    """

    address: str
    process: int

    @property
    def workers(self) -> list[int]:
        """Processes that it has started."""
        path = Path(f"/proc/{self.process}/task/{self.process}/children")
        return [int(each) for each in path.read_text(encoding="utf-8").split()]

    @property
    def worker_mb(self) -> float:
        """Resident memory of its first worker, in MB."""
        return resident_mb(self.workers[0])

    @property
    def worker_seconds(self) -> float:
        """Processor time of its first worker, in seconds."""
        stat = Path(f"/proc/{self.workers[0]}/stat").read_text(encoding="utf-8")
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def service(setting: Setting, *options: str, cores: Sequence[int] = ()) -> Iterator[Server]:
    """A service of the bundles, by default with one worker with one thread on its core."""
    serve = ("--bundles", str(setting.bundles), "--port", "0", "--threads", "1")
    with started(cores or [setting.server_core], "recsys_server", *serve, *options) as server:
        yield server


@contextmanager
def started(cores: Sequence[int], module: str, *arguments: str) -> Iterator[Server]:
    """``python -m MODULE`` on some cores; its address is the first line of its output."""
    with subprocess.Popen(
        _on(cores, module, *arguments), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError(f"{module} ended with {process.wait()}")
            yield Server(address, process.pid)
        finally:
            process.terminate()


def output(core: int, module: str, *arguments: str) -> str:
    """The last line that ``python -m MODULE`` prints, on one core."""
    done = subprocess.run(
        _on([core], module, *arguments), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip().splitlines()[-1]


def resident_mb(process: int) -> float:
    """Resident memory of a process, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)
    assert found, process
    return int(found[1]) / 1024


def _on(cores: Sequence[int], module: str, *arguments: str) -> list[str]:
    return ["taskset", "-c", ",".join(map(str, cores)), sys.executable, "-m", module, *arguments]
