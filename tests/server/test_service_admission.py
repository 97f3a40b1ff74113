"""A call whose caller has given up is never begun, at whatever moment that happened."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
import pytest

from recsys.errors import RecsysError
from recsys.retrieval import Query, Request, Response
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_server import service as serving
from recsys_server.limits import Limits
from recsys_server.service import RetrievalService
from tests.server.service_world import WAIT, LineRetriever, rollout_of

SINGLE = pb.RetrieveRequest(query=pb.Query(user_id="ann"), k=1)
BATCH = pb.BatchRetrieveRequest(requests=[SINGLE, SINGLE, SINGLE])
DEADLINE = 5.0


class Aborted(Exception):
    """The status with which the service ended a call."""


class Call:
    """The part of gRPC's context that the service uses."""

    def time_remaining(self) -> float:
        return DEADLINE

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        pass

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise Aborted(code)

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        raise Aborted(status.code)


class Held(Executor):
    """Keeps the work of one call until the test runs it."""

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.work, self.future = lambda: work(*args, **kwargs), Future[Any]()
        return self.future

    def run(self) -> None:
        if self.future.set_running_or_notify_cancel():
            try:
                self.future.set_result(self.work())
            except Exception as error:
                self.future.set_exception(error)


@dataclass
class World:
    """A service whose executor and clock the test controls."""

    now: float = 0.0
    held: Held = field(default_factory=Held)
    retriever: LineRetriever = field(default_factory=LineRetriever)

    def begin(self, message: Any, executor: Executor | None = None) -> asyncio.Task[Any]:
        service = RetrievalService(
            rollout_of(self.retriever),
            executor=executor or self.held,
            limits=Limits(),
            clock=lambda: self.now,
        )
        call = service.Retrieve if message is SINGLE else service.BatchRetrieve
        return asyncio.create_task(call(message, Call()))


async def submitted(world: World, message: Any) -> asyncio.Task[Any]:
    """A call whose work is in the executor."""
    task = world.begin(message)
    await asyncio.sleep(0)
    assert world.held.future
    return task


@pytest.mark.parametrize("message", [SINGLE, BATCH], ids=["single", "batch"])
@pytest.mark.parametrize(
    ("late", "calls"), [(0.0, True), (DEADLINE - 0.1, True), (DEADLINE, False)]
)
def test_a_call_is_begun_before_its_deadline_only(message: Any, late: float, calls: bool) -> None:
    world = World()

    async def scenario() -> object:
        task = await submitted(world, message)
        world.now = late
        world.held.run()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    ended = asyncio.run(scenario())
    assert bool(world.retriever.calls) == calls
    if not calls:
        assert isinstance(ended, Aborted) and ended.args == (grpc.StatusCode.DEADLINE_EXCEEDED,)


@pytest.mark.parametrize("message", [SINGLE, BATCH], ids=["single", "batch"])
def test_a_deadline_that_passes_while_the_request_is_read_counts(
    message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, read = World(), serving.read_request

    def slow(single: pb.RetrieveRequest) -> Request:
        world.now = DEADLINE
        return read(single)

    monkeypatch.setattr(serving, "read_request", slow)

    async def scenario() -> None:
        task = await submitted(world, message)
        world.held.run()
        with pytest.raises(Aborted, match="DEADLINE_EXCEEDED"):
            await task

    asyncio.run(scenario())
    assert world.retriever.calls == []


def test_a_batch_that_is_answered_one_by_one_ends_at_its_deadline() -> None:
    world = World()

    class Failing(LineRetriever):
        """Has a bug in batches, and takes two seconds per request."""

        def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
            if len(requests) > 1:
                raise RuntimeError
            world.now += 2
            return super().answer(requests)

    world.retriever = Failing()

    async def scenario() -> None:
        task = await submitted(world, pb.BatchRetrieveRequest(requests=[SINGLE] * 9))
        world.held.run()
        with pytest.raises(Aborted, match="DEADLINE_EXCEEDED"):
            await task

    asyncio.run(scenario())
    assert world.retriever.calls == [Query(user_id="ann")] * 3, "begun at 0, 2 and 4 seconds"


def test_a_call_cancelled_in_the_queue_is_never_begun() -> None:
    world = World()

    async def scenario() -> None:
        task = await submitted(world, SINGLE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        world.held.run()

    asyncio.run(scenario())
    assert world.retriever.calls == []


def test_a_call_cancelled_while_its_request_is_read_is_never_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, read = World(), serving.read_request
    reading, cancelled = threading.Event(), threading.Event()

    def slow(single: pb.RetrieveRequest) -> Request:
        reading.set()
        assert cancelled.wait(WAIT)
        return read(single)

    monkeypatch.setattr(serving, "read_request", slow)

    async def scenario(executor: Executor) -> None:
        task = world.begin(SINGLE, executor)
        await asyncio.to_thread(_wait, reading.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cancelled.set()

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(scenario(executor))
    assert world.retriever.calls == []


def _wait(wait: Callable[[float], bool]) -> None:
    assert wait(WAIT)
