"""Rounds that kill writers of a store, and count what is lost and what is there twice.

Each round starts some processes that write to one store, copies the files of the stopped processes
as a power cut would leave them, lets them continue, and kills them. Every write that was
acknowledged must be in the store and in the copy once. Then each thread's next write, which may
have been written or not, is repeated with its key.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.store_writer import change_of
from recsys.store import InteractionRecorded, ItemUpserted, Store, open_store, verify

ROOT = Path(__file__).parents[2]


@dataclass
class Faults:
    """Counts over all rounds.

    Attributes:
        kills: Number of processes that were killed.
        copies: Number of copies of the files of stopped processes.
        acknowledged: Number of acknowledged writes.
        lost: Number of acknowledged writes that the store or a copy lacks.
        doubled: Number of changes that are there twice.
        faults: Faults that a verification found.
    """

    kills: int = 0
    copies: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)

    def check(self, store: Store, acknowledged: Sequence[str]) -> None:
        """Count the faults of a store that must hold some writes."""
        found = written_keys(store)
        self.lost += len(set(acknowledged) - found.keys())
        self.doubled += sum(count - 1 for count in found.values())
        self.faults += verify(store).faults


class Writer:
    """A process that writes, and the keys that it has acknowledged."""

    def __init__(self, url: str, name: str, threads: int) -> None:
        command = [sys.executable, "-m", "benchmarks.faults.store_writer", url, name, str(threads)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self._pipe = self.process.stdout
        os.set_blocking(self._pipe.fileno(), False)
        self._text = b""

    def lines(self) -> list[tuple[str, int]]:
        """Every acknowledged key so far with the size of the write-ahead log then."""
        with suppress(BlockingIOError):
            while not self._pipe.closed and (part := os.read(self._pipe.fileno(), 1 << 16)):
                self._text += part
        whole = self._text.decode().split("\n")[:-1]
        return [(key, int(size)) for key, size in (line.split() for line in whole)]

    def wait_for_writes(self) -> None:
        """Return when the first write is acknowledged."""
        deadline = time.monotonic() + 120
        while not self.lines():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the writer does not write")
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill the process, and wait for its end."""
        self.process.kill()
        self.process.wait()
        self.lines()
        self._pipe.close()


def written_keys(store: Store) -> Counter[str]:
    """How often each key's change is in a store."""
    found: Counter[str] = Counter()
    last = 0
    while entries := store.changes(last, limit=5_000):
        last = entries[-1].sequence
        for entry in entries:
            assert isinstance(entry.change, InteractionRecorded | ItemUpserted)
            found[entry.change.item_id] += 1
    return found


def run_round(
    url: str, rng: random.Random, faults: Faults, *, processes: int = 2, threads: int = 4
) -> None:
    """Write, copy, kill and check once; the store of earlier rounds is used again."""
    name = f"r{rng.randrange(1 << 32):08x}"
    writers = [Writer(url, f"{name}-{number}", threads) for number in range(processes)]
    try:
        for writer in writers:
            writer.wait_for_writes()
        time.sleep(rng.uniform(0, 0.3))
        if "://" not in url:
            copy_and_check(Path(url), writers, rng, faults)
            time.sleep(rng.uniform(0, 0.3))
    finally:
        for writer in writers:
            writer.kill()
    faults.kills += len(writers)
    acknowledged = [key for writer in writers for key, _ in writer.lines()]
    faults.acknowledged += len(acknowledged)
    with open_store(url) as store:
        faults.check(store, acknowledged)
        for number in range(processes):
            for thread in range(threads):
                own = f"{name}-{number}/{thread}/"
                done = sum(key.startswith(own) for key in acknowledged)
                store.append([change_of(f"{own}{done}")], key=f"{own}{done}")
        faults.check(store, acknowledged)


def copy_and_check(
    path: Path, writers: Sequence[Writer], rng: random.Random, faults: Faults
) -> None:
    """Stop the processes, copy the files, and check the copy, also with a torn end of its log."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        log = copy.with_name("copy.db-wal")
        with stopped(writers):
            shutil.copy(path, copy)
            shutil.copy(path.with_name(f"{path.name}-wal"), log)
            lines = [line for writer in writers for line in writer.lines()]
        acknowledged = [key for key, _ in lines]
        faults.copies += 1
        size, synced = log.stat().st_size, max(size for _, size in lines)
        if size > synced:  # the end was not acknowledged, and may be torn anywhere
            cut = rng.randrange(synced, size)
            content = log.read_bytes()
            log.write_bytes(content[:cut] + rng.randbytes(rng.choice([0, size - cut])))
        with open_store(copy) as store:
            faults.check(store, acknowledged)


@contextmanager
def stopped(writers: Sequence[Writer]) -> Iterator[None]:
    """Stop the processes during the block."""
    for writer in writers:
        writer.process.send_signal(signal.SIGSTOP)
    try:
        for writer in writers:
            wait_until_stopped(writer.process.pid)
        yield
    finally:
        for writer in writers:
            writer.process.send_signal(signal.SIGCONT)


def wait_until_stopped(pid: int) -> None:
    """Return when every thread of a process is stopped."""
    tasks = Path(f"/proc/{pid}/task")
    deadline = time.monotonic() + 60
    while any(
        (task / "stat").read_text().rpartition(")")[2].split()[0] != "T" for task in tasks.iterdir()
    ):
        if time.monotonic() > deadline:
            raise RuntimeError(f"process {pid} does not stop")
        time.sleep(0.001)
