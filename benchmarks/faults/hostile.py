"""Hostile calls of every method of a service, next to honest ones."""

from __future__ import annotations

import math
import random
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from benchmarks.faults.odd_messages import METHODS, OddMessages
from benchmarks.faults.odd_pictures import odd_pictures
from benchmarks.faults.processes import resources
from benchmarks.faults.traffic import Traffic, p99
from benchmarks.faults.world import RunningService, prepare_bundles, running_service
from recsys_client import Interaction, Item, Query, Request
from recsys_client.convert import write_request
from recsys_client.feed import FeedRequest
from recsys_client.operations import bundles as bundle_calls
from recsys_client.operations import catalog, feeds, interactions
from recsys_server.security.tokens import create_token

CALLERS, RATE, PIECE = 2, 60.0, 500
"""Number of hostile callers, of their calls per second together, and of calls per connection."""
HONEST_RATE = 10.0
WAIT = 60.0
"""Seconds after which a call without an answer is a hang."""
_Code = grpc.StatusCode
EXPECTED = frozenset(
    {
        *(_Code.INVALID_ARGUMENT, _Code.NOT_FOUND, _Code.FAILED_PRECONDITION),
        *(_Code.RESOURCE_EXHAUSTED, _Code.UNAUTHENTICATED, _Code.PERMISSION_DENIED),
    }
)
"""Statuses of refusals; an odd request may be answered, too."""
_TEXTS = ("u0338", "u0614", "i0001", "i0002", "i1999", "price", "category", "home", "budget")


@dataclass
class Outcomes:
    """The ends of hostile calls.

    Attributes:
        codes: Number of calls by status.
        faults: Method, status, text and the first bytes of requests that have no expected status.
    """

    codes: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str, str, bytes]] = field(default_factory=list)

    def add(self, method: str, error: Any, raw: Sequence[bytes]) -> None:
        """Count a call; ``error`` is None for an answered one."""
        code = None if error is None else error.code()
        self.codes["OK" if code is None else str(code.name)] += 1
        if code is not None and code not in EXPECTED:
            start = b"|".join(each[:500] for each in raw)
            self.faults.append((method, code.name, error.details() or "", start))


@dataclass(frozen=True)
class Attack:
    """Odd requests of one caller, one after the other.

    Attributes:
        address: Address of the service.
        tokens: Tokens, of which the first may do everything.
        seed: Seed of the requests.
        count: Number of requests.
        rate: Number of requests per second.
    """

    address: str
    tokens: Sequence[str]
    seed: int = 0
    count: int = PIECE
    rate: float = RATE / CALLERS

    def run(self) -> Outcomes:
        """Make the calls."""
        outcomes, rng, due = Outcomes(), random.Random(self.seed), time.monotonic()
        odd = OddMessages(rng, templates(), _TEXTS, list(odd_pictures().values()))
        with grpc.insecure_channel(self.address, options=[("grpc.enable_retries", 0)]) as channel:
            for number in range(self.count):
                due = max(due + 1 / self.rate, time.monotonic() - 1)
                time.sleep(max(0.0, due - time.monotonic()))
                method = METHODS[(number + self.seed) % len(METHODS)]
                raw = odd.requests(method)
                # A rollback loads a bundle, whoever wants it.
                share = 0.02 if method.name == "RollbackBundle" else 0.9
                token = self.tokens[0] if rng.random() < share else rng.choice(self.tokens[1:])
                error = self.end_of(channel, method, raw, token)
                outcomes.add(method.full_name, error, raw)
                if number % 100 == 0:
                    send_noise(self.address, rng)
        return outcomes

    def end_of(
        self, channel: Any, method: MethodDescriptor, raw: Sequence[bytes], token: str = ""
    ) -> Any:
        """The error of a call, or None for an answered one."""
        path = f"/{method.containing_service.full_name}/{method.name}"
        metadata = [("authorization", f"Bearer {token}"), ("x-request-id", '../odd "id"')]
        options: dict[str, Any] = {"timeout": WAIT, "metadata": metadata}
        try:
            if method.client_streaming:
                channel.stream_unary(path)(iter(raw), **options)
            else:
                channel.unary_unary(path)(raw[0], **options)
        except grpc.RpcError as error:
            return error
        return None


def attack(work: Path, *, requests: int) -> dict[str, float]:
    """Call a service with odd requests, next to honest calls, and count how they end.

    Args:
        work: Folder of the bundles; see ``prepare_bundles``.
        requests: Number of hostile calls.

    Returns:
        Numbers of calls, of INTERNAL and UNKNOWN, of other statuses that are not expected, of
        workers that died, of tracebacks in the log, of failed honest calls; memory, and latencies
        of honest calls.
    """
    bundles = prepare_bundles(work)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokens = _tokens(folder / "tokens.json")
        with running_service(bundles, folder, "--tokens", str(folder / "tokens.json")) as service:
            honest = Traffic(service.address, tokens[0])
            with honest.reading(HONEST_RATE):
                time.sleep(min(30.0, requests / RATE / 4))
                alone = p99(honest.take_latencies())
                first = resources(service.process).memory_mb
                with _memory_peaks(service) as peaks:
                    outcomes = _run(service.address, tokens, requests)
                during = p99(honest.take_latencies())
            last = resources(service.process).memory_mb
        log = service.log.read_text(encoding="utf-8", errors="replace")
        print(log[max(0, log.find("Traceback")) :][:5_000] if "Traceback" in log else "")
    _print_faults(outcomes)
    codes = outcomes.codes
    internal = codes["INTERNAL"] + codes["UNKNOWN"]
    return {
        "hostile": sum(codes.values()),
        "internal": internal,
        "hostile_answered": codes["OK"],
        "hostile_unexpected": len(outcomes.faults) - internal,
        "hostile_died": log.count(" died ("),
        "hostile_tracebacks": log.count("Traceback"),
        "hostile_first_mb": round(first, 1),
        "hostile_peak_mb": round(max(peaks), 1),
        "hostile_last_mb": round(last, 1),
        "hostile_honest_failed": sum(honest.failed.values()),
        "hostile_p99_alone_ms": round(alone, 1),
        "hostile_p99_ms": round(during, 1),
        "hostile_p99_ratio": round(during / alone, 2),
    }


@cache
def templates() -> list[Message]:
    """Requests that the service answers, of every method that reads anything."""
    queries: list[dict[str, Any]] = [
        {"query": Query(item_id="i0001"), "k": 20},
        {"query": Query(history=["i0001", "i0002"]), "k": 50, "filter": "price < 40"},
        {"query": Query(user_id="u0338"), "space": "two_tower+text", "crowding": {"category": 2}},
        {"query": Query(terms="garden"), "space": "text", "explain": True},
        {"query": Query(vector=[0.1] * 32), "space": "two_tower"},
        {"query": Query(item_ids=["i0001", "i0005"]), "exclude": ["i0003"], "effort": 2.0},
        {"query": Query(image=next(iter(odd_pictures().values()))), "space": "image"},
    ]  # fmt: skip
    singles = [write_request(_request(each)) for each in queries]
    batch = METHODS[1].input_type._concrete_class()
    batch.requests.extend(singles)
    records = [Interaction("new-1", "i0001", 1_750_000_000)]
    attributes = {"price": 3.0, "category": ["home"]}
    item = Item("new-1", "A thing", "of words", attributes, picture=b"x")
    operations = [
        interactions.record(records, None),
        interactions.history("u0338", 10),
        interactions.delete_user("new-1", None),
        catalog.upsert([item], None),
        catalog.delete(["new-1"], None),
        catalog.get(["i0001", "new-1"], 64),
        catalog.list_page("price < 30", 5, "", 32),
        feeds.rank(FeedRequest(Query(user_id="u0338"), k=20, candidates=["i0001"])),
        bundle_calls.activate("20200101T000000-00000000", None),
        bundle_calls.set_canary("20200101T000000-00000000", 0.1, None),
    ]
    streamed = list(interactions.stream_messages([records], None))
    return [*singles, batch, *streamed, *(each.request for each in operations)]


def send_noise(address: str, rng: random.Random) -> None:
    """Send bytes that are no HTTP/2 to a port, and leave."""
    host, _, port = address.rpartition(":")
    starts = (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"")
    with socket.create_connection((host, int(port)), timeout=WAIT) as connection:
        connection.sendall(rng.choice(starts))
        connection.sendall(rng.randbytes(rng.randrange(1_000)))


def _request(fields: dict[str, Any]) -> Request:
    query = fields.pop("query")
    return Request(query, **{"k": 10, **fields})


def _run(address: str, tokens: Sequence[str], requests: int) -> Outcomes:
    """Make the calls from processes of their own, which take no time of honest callers."""
    attacks = [
        Attack(address, tokens, seed, min(PIECE, requests - PIECE * seed))
        for seed in range(math.ceil(requests / PIECE))
    ]
    outcomes = Outcomes()
    with ProcessPoolExecutor(CALLERS, mp_context=get_context("spawn")) as callers:
        for found in callers.map(Attack.run, attacks):
            outcomes.codes += found.codes
            outcomes.faults += found.faults
            print(dict(outcomes.codes), len(outcomes.faults), flush=True)
    return outcomes


@contextmanager
def _memory_peaks(service: RunningService) -> Iterator[list[float]]:
    ending, seen = threading.Event(), [0.0]

    def watch() -> None:
        while not ending.wait(1.0):
            seen.append(resources(service.process).memory_mb)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ending.set()
        thread.join()


def _tokens(file: Path) -> list[str]:
    """Tokens for everything, for reads, for one service, an expired, and unknown ones."""
    now = datetime.now(timezone.utc)
    return [
        create_token(file, "all", scopes=("read", "write", "admin")),
        create_token(file, "reader", scopes=("read",)),
        create_token(file, "catalog", scopes=("catalog:write",)),
        create_token(file, "old", scopes=("read",), expires=now - timedelta(days=1)),
        *("recsys_" + "A" * 43, "", "x" * 5_000, "recsys_"),
    ]


def _print_faults(outcomes: Outcomes) -> None:
    shown = Counter[tuple[str, str]]()
    for method, code, details, raw in outcomes.faults:
        shown[method, code] += 1
        if shown[method, code] <= 3:
            print(method, code, details[:300], raw[:300], flush=True)
    print(dict(outcomes.codes), flush=True)
