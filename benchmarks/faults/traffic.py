"""Honest traffic of every kind: reads, writes of users and items, pictures and pages."""

from __future__ import annotations

import csv
import itertools
import random
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recsys.errors import RecsysError
from recsys_client import Interaction, Item, Query, RecsysClient

SAMPLE = Path("data/sample")
USERS, ITEMS = 600, 1_500
"""Users and items of the sample set that are used, at least as many as it has."""
_NEW_USERS, _NEW_ITEMS = 200, 100
_EPOCH = 1_750_000_000
_DIFFERENT = 1_000
"""Number of different reads, so that the cache of answers stops growing soon."""


@dataclass
class Traffic:
    """Callers that make honest calls at a steady rate, and what they saw.

    Attributes:
        address: Address of the service.
        token: Token of the calls, or None.
        seconds: Latency of each answered read since :meth:`take_latencies`.
        calls: Number of answered calls.
        failed: Number of failed calls by code.
    """

    address: str
    token: str | None = None
    seconds: list[float] = field(default_factory=list)
    calls: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        with (SAMPLE / "searches.csv").open(encoding="utf-8") as file:
            self._terms = [row["terms"] for row in itertools.islice(csv.DictReader(file), 500)]
        with zipfile.ZipFile(SAMPLE / "pictures.zip") as archive:
            self._pictures = [archive.read(name) for name in archive.namelist()[:100]]

    @contextmanager
    def reading(self, rate: float) -> Iterator[None]:
        """Read ``rate`` times per second during the block."""
        with self._running([(self._read, rate)]):
            yield

    @contextmanager
    def running(self, rate: float) -> Iterator[None]:
        """Read ``rate`` times per second during the block, and make other calls less often."""
        callers = [
            (self._read, rate),
            (self._record, rate / 5),
            (self._change_item, rate / 20),
            (self._look_at_items, rate / 20),
            (self._delete_user, rate / 100),
        ]
        with self._running(callers):
            yield

    def take_latencies(self) -> list[float]:
        """The latencies of reads since the last call, in seconds."""
        taken, self.seconds = self.seconds, []
        return taken

    @contextmanager
    def _running(
        self, callers: Sequence[tuple[Callable[[RecsysClient, int], None], float]]
    ) -> Iterator[None]:
        ending = threading.Event()
        threads = [
            threading.Thread(target=self._call, args=(make, 1 / rate, ending))
            for make, rate in callers
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ending.set()
            for thread in threads:
                thread.join()

    def _call(
        self, make: Callable[[RecsysClient, int], None], period: float, ending: threading.Event
    ) -> None:
        due = time.monotonic()
        with RecsysClient(self.address, timeout=30, token=self.token) as client:
            for number in itertools.count():
                due = max(due + period, time.monotonic() - 10 * period)
                if ending.wait(max(0.0, due - time.monotonic())):
                    return
                try:
                    make(client, number)
                    self.calls += 1
                except RecsysError as error:
                    self.failed[error.code] += 1

    def _read(self, client: RecsysClient, number: int) -> None:
        rng = random.Random(number % _DIFFERENT)
        user, item = f"u{rng.randrange(1, USERS):04d}", f"i{rng.randrange(1, ITEMS):04d}"
        requests: list[Callable[[], object]] = [
            lambda: client.retrieve(item_id=item, k=50),
            lambda: client.retrieve(history=[item], k=50, titles=True),
            lambda: client.retrieve(item_id=item, space="text+image", k=20),
            lambda: client.retrieve(terms=rng.choice(self._terms), space="text", k=20),
            lambda: client.retrieve(image=rng.choice(self._pictures), space="image", k=20),
            lambda: client.retrieve(history=[item], k=20, filter="price < 40", explain=True),
            lambda: client.retrieve_batch([Query(history=[item])] * 8, k=20),
            lambda: client.retrieve(user_id=user, k=20) if number % 50 else client.describe(),
        ]
        began = time.perf_counter()
        requests[number % len(requests)]()
        self.seconds.append(time.perf_counter() - began)

    def _record(self, client: RecsysClient, number: int) -> None:
        user = f"new-{number % _NEW_USERS}"
        item = f"i{1 + number % (ITEMS - 1):04d}"
        client.record_interactions([Interaction(user, item, _EPOCH + number)])
        if number % 5 == 0:
            client.stream_interactions([[Interaction(user, item, _EPOCH + number + 1)]] * 3)
        client.get_history(user)

    def _change_item(self, client: RecsysClient, number: int) -> None:
        item_id = f"new-{number % _NEW_ITEMS}"
        picture = self._pictures[number % len(self._pictures)]
        client.upsert_items([Item(item_id, "A new thing", "of many words", picture=picture)])
        client.get_items([item_id], thumbnail_size=64)
        if number % 3 == 0:
            client.delete_items([item_id])

    def _look_at_items(self, client: RecsysClient, number: int) -> None:
        client.list_items(page_size=50, filter="price < 30", thumbnail_size=32)
        client.list_bundles()

    def _delete_user(self, client: RecsysClient, number: int) -> None:
        user = f"gone-{number % _NEW_USERS}"
        client.record_interactions([Interaction(user, "i0001", _EPOCH + number)])
        client.delete_user(user)


def p99(seconds: Sequence[float]) -> float:
    """The 99th percentile in milliseconds, or 0 of nothing."""
    return float(np.percentile(seconds, 99)) * 1_000 if seconds else 0.0
