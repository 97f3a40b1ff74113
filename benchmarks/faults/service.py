"""Kills of a service's processes amid a stream of writes.

Each caller records interactions and adds items, one after the other, and repeats a write with its
idempotency key until it is acknowledged. Every acknowledged write must be in the store and in the
answers of the service, and none twice.
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
from benchmarks.faults.world import prepare_bundles
from recsys.errors import InvalidRequestError, RecsysError
from recsys.store import InteractionRecorded, ItemUpserted, open_store
from recsys_client import Interaction, Item, RecsysClient
from recsys_server.processes.addresses import Reservation


@dataclass
class Callers:
    """Callers that write, each as a user of its own.

    Attributes:
        address: Address of the service.
        acknowledged: Numbers of the acknowledged writes per user.
    """

    address: str
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    _ending: threading.Event = field(default_factory=threading.Event)

    @property
    def count(self) -> int:
        """Number of acknowledged writes."""
        return sum(map(len, self.acknowledged.values()))

    def wait_for(self, writes: int) -> None:
        """Wait until a number of further writes is acknowledged."""
        expected = self.count + writes
        wait_for(lambda: self.count >= expected)

    @contextmanager
    def writing(self, users: Sequence[str]) -> Iterator[None]:
        """Write during the block."""
        threads = [threading.Thread(target=self._write, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ending.set()
            for thread in threads:
                thread.join(WAIT)

    def hidden(self) -> int:
        """Number of acknowledged writes that the service does not show."""
        hidden = 0
        with RecsysClient(self.address, timeout=WAIT) as client:
            for user, numbers in self.acknowledged.items():
                shown = {each.time for each in client.get_history(user, limit=10_000).interactions}
                hidden += len({each for each in numbers if not _is_item(each)} - shown)
                items = [_item_id(user, each) for each in numbers if _is_item(each)]
                for start in range(0, len(items), 1_000):
                    found = client.get_items(items[start : start + 1_000])
                    hidden += len(found.unknown_item_ids)
        return hidden

    def _write(self, user: str) -> None:
        own = self.acknowledged.setdefault(user, [])
        with RecsysClient(self.address, timeout=5) as client:
            number = 0  # an item, the one of all interactions
            while not self._ending.is_set():
                while not self._ending.is_set():
                    try:
                        _write_once(client, user, number)
                        own.append(number)
                        number += 1
                        break
                    except InvalidRequestError:
                        raise
                    except RecsysError:  # no answer: the same write again
                        time.sleep(0.05)


def _is_item(number: int) -> bool:
    return number % 3 == 0


def _item_id(user: str, number: int) -> str:
    return f"{user}/{number}"


def _write_once(client: RecsysClient, user: str, number: int) -> None:
    key = f"{user}-{number}"
    if _is_item(number):
        client.upsert_items([Item(_item_id(user, number), "3")], idempotency_key=key)
    else:
        record = Interaction(user, _item_id(user, 0), number)
        client.record_interactions([record], idempotency_key=key)


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
        Numbers of kills, and of writes that are acknowledged, lost, doubled, and not shown.
    """
    with Reservation.of_host("127.0.0.1", 0) as reservation:
        port = reservation.port
    service = Service(command(port), store.with_suffix(".log"))
    service.start()
    callers = Callers(f"127.0.0.1:{port}")
    try:
        with callers.writing([f"caller-{number}" for number in range(users)]):
            for victim in victims:
                callers.wait_for(writes)
                time.sleep(rng.uniform(0, 0.05))
                service.kill(victim, rng)
            callers.wait_for(writes)
        hidden = callers.hidden()
        code = service.stop()
        if code != 0:
            raise RuntimeError(f"the service ended with {code}")
    finally:
        if service.process is not None:
            service.process.kill()
    found = _stored(store)
    expected = {(user, each) for user, numbers in callers.acknowledged.items() for each in numbers}
    return {
        "kills": len(victims),
        "acknowledged": len(expected),
        "lost": len(expected - set(found)),
        "doubled": sum(count > 1 for count in found.values()),
        "hidden": hidden,
    }


def kill_service(work: Path, rng: random.Random, kills: int) -> dict[str, int]:
    """Kill the processes of a service over the bundles of ``work``; see :func:`run_kills`."""
    bundles = prepare_bundles(work)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.db"

        def command(port: int) -> list[str]:
            return [
                *(sys.executable, "-m", "recsys_server", "--bundles", str(bundles)),
                *("--store", str(store), "--workers", "2", "--port", str(port), "--grace", "1"),
            ]

        kinds: list[Victim] = ["worker", "supervisor", "all"]
        return run_kills(command, store, rng.choices(kinds, k=kills), rng=rng)


def _stored(path: Path) -> Counter[tuple[str, int]]:
    """Number of times each write is in the store."""
    found: Counter[tuple[str, int]] = Counter()
    with open_store(path) as store:
        after = 0
        while entries := store.changes(after, limit=1000):
            for entry in entries:
                if isinstance(entry.change, InteractionRecorded):
                    found[entry.change.user_id, entry.change.time] += 1
                elif isinstance(entry.change, ItemUpserted):
                    user, _, number = entry.change.item_id.partition("/")
                    found[user, int(number)] += 1
            after = entries[-1].sequence
    return found
