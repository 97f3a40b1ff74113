"""Kills of a service's processes amid a stream of interactions that callers record.

Each caller records interactions one after the other, and repeats one with its idempotency key until
it is acknowledged. Every acknowledged interaction must be in the store, and none twice.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.processes import WAIT, Service, Victim, wait_for
from benchmarks.server_startup import publish_bundle
from recsys.errors import RecsysError
from recsys.store import InteractionRecorded, open_store
from recsys_client import Interaction, RecsysClient
from recsys_server.processes.addresses import Reservation


@dataclass
class Callers:
    """Callers that record interactions, each of its own user.

    Attributes:
        acknowledged: Times of the acknowledged interactions per user.
    """

    address: str
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    _ending: threading.Event = field(default_factory=threading.Event)

    @property
    def count(self) -> int:
        """Number of acknowledged interactions."""
        return sum(map(len, self.acknowledged.values()))

    def wait_for(self, writes: int) -> None:
        """Wait until a number of further interactions is acknowledged."""
        expected = self.count + writes
        wait_for(lambda: self.count >= expected)

    @contextmanager
    def recording(self, users: Sequence[str]) -> Iterator[None]:
        """Record during the block."""
        threads = [threading.Thread(target=self._record, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ending.set()
            for thread in threads:
                thread.join(WAIT)

    def _record(self, user: str) -> None:
        own = self.acknowledged.setdefault(user, [])
        with RecsysClient(self.address, timeout=5) as client:
            number = 0
            while not self._ending.is_set():
                number += 1
                record = Interaction(user, "i1", number)
                while not self._ending.is_set():
                    try:
                        client.record_interactions([record], idempotency_key=f"{user}-{number}")
                        own.append(number)
                        break
                    except RecsysError:  # no answer: the same write again
                        time.sleep(0.05)


def run_kills(
    command: Callable[[int], Sequence[str]],
    store: Path,
    victims: Sequence[Victim],
    *,
    rng: random.Random,
    users: int = 4,
    writes: int = 20,
) -> dict[str, int]:
    """Kill processes of a service amid writes.

    Args:
        command: Function of a port that returns the command of a service with the store.
        store: File of the store.
        victims: Victims of the kills, one after the other, each after further writes.
        rng: Chooses workers and moments.
        users: Number of callers.
        writes: Number of acknowledged writes between kills, at least.

    Returns:
        Numbers of kills, and of interactions that are acknowledged, lost and doubled.
    """
    with Reservation.of_host("127.0.0.1", 0) as reservation:
        port = reservation.port
    service = Service(command(port), store.with_suffix(".log"))
    service.start()
    callers = Callers(f"127.0.0.1:{port}")
    try:
        with callers.recording([f"caller-{number}" for number in range(users)]):
            for victim in victims:
                callers.wait_for(writes)
                time.sleep(rng.uniform(0, 0.05))
                service.kill(victim, rng)
            callers.wait_for(writes)
        code = service.stop()
        if code != 0:
            raise RuntimeError(f"the service ended with {code}")
    finally:
        if service.process is not None:
            service.process.kill()
    found = _stored(store)
    expected = {(user, time) for user, times in callers.acknowledged.items() for time in times}
    return {
        "kills": len(victims),
        "acknowledged": len(expected),
        "lost": len(expected - set(found)),
        "doubled": sum(number > 1 for number in found.values()),
    }


def kill_service(rng: random.Random, kills: int) -> dict[str, int]:
    """Kill the processes of a service over a small bundle; the counts of :func:`run_kills`."""
    with tempfile.TemporaryDirectory() as folder:
        publish_bundle(Path(folder), items=2_000, users=200)
        store = Path(folder) / "store.db"

        def command(port: int) -> list[str]:
            return [
                *(sys.executable, "-m", "recsys_server", "--bundles", f"{folder}/bundles"),
                *("--store", str(store), "--workers", "2", "--port", str(port), "--grace", "1"),
            ]

        kinds: list[Victim] = ["worker", "supervisor", "all"]
        return run_kills(command, store, rng.choices(kinds, k=kills), rng=rng)


def _stored(path: Path) -> Counter[tuple[str, int]]:
    """Number of times each interaction is in the store."""
    found: Counter[tuple[str, int]] = Counter()
    with open_store(path) as store:
        after = 0
        while entries := store.changes(after, limit=1000):
            for entry in entries:
                if isinstance(entry.change, InteractionRecorded):
                    found[entry.change.user_id, entry.change.time] += 1
            after = entries[-1].sequence
    return found
