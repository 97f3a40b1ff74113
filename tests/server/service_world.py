"""A small retriever whose answers are known, and a server for it on a free port."""

from __future__ import annotations

import asyncio
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from prometheus_client.parser import text_string_to_metric_families

from recsys.errors import NotFoundError, RecsysError, UnknownIdError
from recsys.retrieval import Candidate, Query, Request, Response
from recsys_server.lifecycle import RetrievalServer
from recsys_server.limits import Limits
from recsys_server.metrics.observation import Observation
from recsys_server.processes.following import BundleFollower
from recsys_server.rollout import Deployment, LoadedBundle, Retriever, Rollout
from recsys_server.security.access import Access
from recsys_server.security.tls import Tls

ITEMS = [f"item-{number:02d}" for number in range(40)]
SECRET = "the password is swordfish"
WAIT = 200
"""Seconds until a test that hangs is a failure. No test passes or fails by being slow."""


def title(number: int) -> str | None:
    """Title of an item; every third has none."""
    return f"Item number {number}" if number % 3 else None


@dataclass
class LineRetriever:
    """Items on a line: the nearest to the last of the history comes first, ties to the left.

    A user "slow" waits at the gate; a user "broken" meets a bug.
    """

    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    bundle_version: str = "v7"
    calls: list[Query] = field(default_factory=list)
    together: list[int] = field(default_factory=list)

    def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
        self.together.append(len(requests))
        answers: list[Response | RecsysError] = []
        for request in requests:
            try:
                answers.append(self.retrieve(request))
            except RecsysError as error:
                answers.append(error)
        return answers

    def retrieve(self, request: Request) -> Response:
        query = request.query
        self.calls.append(query)
        self.entered.release()
        if query.user_id == "slow":
            assert self.gate.wait(WAIT)
        if query.user_id == "broken":
            raise RuntimeError(SECRET)
        request.check(10_000)
        if request.space not in ("two_tower", "text"):
            raise NotFoundError(f"no space '{request.space}'", field="space")
        if query.user_id == "nobody":
            raise UnknownIdError("unknown user id 'nobody'", field="query.user_id")
        history = query.history or ()
        unknown = tuple(item for item in history if item not in ITEMS)
        if unknown and request.unknown_history == "raise":
            at = list(history).index(unknown[0])
            raise UnknownIdError(f"unknown id {unknown[0]!r}", field=f"query.history[{at}]")
        seen = [item for item in history if item in ITEMS]
        position = ITEMS.index(seen[-1]) if seen else 0
        hidden = {*request.exclude, *(seen if request.seen == "exclude" else ())}
        free = sorted(
            (abs(at - position), at) for at, item in enumerate(ITEMS) if item not in hidden
        )
        candidates = tuple(
            Candidate(
                ITEMS[at], -float(distance) / 4, rank, title=title(at) if request.titles else None
            )
            for rank, (distance, at) in enumerate(free[: request.k], start=1)
        )
        return Response(
            candidates,
            request.space,
            unknown,
            None if len(candidates) == request.k else f"only {len(candidates)} items are left",
            tuple(item for item in request.exclude if item not in ITEMS),
            query.terms if query.terms == "zzz" else None,
            self.bundle_version,
        )


def rollout_of(retriever: Retriever) -> Rollout:
    """A rollout in which ``retriever`` answers everything."""
    return Rollout(Deployment(LoadedBundle(retriever.bundle_version, retriever)))


class Aborted(Exception):
    """The status with which the service ended a call."""


class Call:
    """The part of gRPC's context that the service uses."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds

    def time_remaining(self) -> float | None:
        return self.seconds

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        pass

    def done(self) -> bool:
        return False

    def invocation_metadata(self) -> tuple[()]:
        return ()

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise Aborted(code)

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        raise Aborted(status.code)


@dataclass
class Served:
    """A server that runs in a thread of its own."""

    address: str
    server: RetrievalServer
    loop: asyncio.AbstractEventLoop

    def stop(self, grace: float) -> int:
        """Stop it; how many requests were cut off."""
        return asyncio.run_coroutine_threadsafe(self.server.stop(grace), self.loop).result(WAIT)


@contextmanager
def served(
    source: Retriever | Rollout,
    *,
    limits: Limits | None = None,
    threads: int = 4,
    follower: BundleFollower | None = None,
    tls: Tls | None = None,
    access: Access | None = None,
    observation: Observation | None = None,
) -> Iterator[Served]:
    """Serve a retriever or a rollout on a free port of this machine."""
    rollout = source if isinstance(source, Rollout) else rollout_of(source)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server")
    thread.start()
    starting = RetrievalServer.start(
        rollout,
        addresses=["127.0.0.1:0"],
        limits=limits,
        threads=threads,
        follower=follower,
        tls=tls,
        access=access,
        observation=observation,
    )
    try:
        server = asyncio.run_coroutine_threadsafe(starting, loop).result(WAIT)
        running = Served(server.address, server, loop)
        try:
            yield running
        finally:
            running.stop(0)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT)
        loop.close()


def until(holds: Callable[[], object]) -> None:
    """Wait until ``holds()`` is true."""
    deadline = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.01)


def samples(address: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Samples of the page by their name and the values of their labels, ordered by label."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=WAIT) as page:
        text = page.read().decode()
    return {
        (each.name, tuple(label for _, label in sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }
