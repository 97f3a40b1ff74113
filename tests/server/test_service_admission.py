"""Work whose caller has given up is never begun, and what waits is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo

from recsys.errors import OverloadedError, RecsysError
from recsys.retrieval import Query, Request, Response
from recsys_client.convert import read_request
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.statuses import from_status
from recsys_server.limits import Limits
from recsys_server.messages import abort
from recsys_server.queueing.admission import Admission, QueueLimits, cost_of
from recsys_server.queueing.batching import BATCH, BATCH_COST, Batcher, Part
from recsys_server.service import RetrievalService
from recsys_server.statuses import to_status
from tests.server.service_world import Aborted, Call, LineRetriever, rollout_of

SINGLE = pb.RetrieveRequest(query=pb.Query(user_id="ann"), k=1)
BATCH_OF_3 = pb.BatchRetrieveRequest(requests=[SINGLE, SINGLE, SINGLE])
DEADLINE = 5.0
KINDS = pytest.mark.parametrize("message", [SINGLE, BATCH_OF_3], ids=["single", "batch"])


class Held(Executor):
    """Keeps the work of threads until the test runs it."""

    def __init__(self) -> None:
        self.held: list[Callable[[], Any]] = []

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.held.append(lambda: work(*args, **kwargs))
        return Future()

    def run(self) -> None:
        while self.held:
            self.held.pop(0)()


@dataclass
class World:
    """A service whose executor and clock the test controls."""

    now: float = 0.0
    held: Held = field(default_factory=Held)
    retriever: LineRetriever = field(default_factory=LineRetriever)
    queue: QueueLimits = field(default_factory=QueueLimits)

    def __post_init__(self) -> None:
        self.service: RetrievalService | None = None

    def begin(self, message: Any, seconds: float | None = DEADLINE) -> asyncio.Task[bytes]:
        self.service = self.service or RetrievalService(
            rollout_of(self.retriever),
            executor=self.held,
            picture_executor=self.held,
            limits=Limits(),
            queue=self.queue,
            clock=lambda: self.now,
        )
        single = isinstance(message, pb.RetrieveRequest)
        call = self.service.retrieve if single else self.service.retrieve_batch
        return asyncio.create_task(call(message.SerializeToString(), Call(seconds)))


async def turns(count: int = 3) -> None:
    """Let the event loop run everything that is ready."""
    for _ in range(count):
        await asyncio.sleep(0)


@KINDS
@pytest.mark.parametrize(
    ("late", "calls"), [(0.0, True), (DEADLINE - 0.1, True), (DEADLINE, False)]
)
def test_a_call_is_begun_before_its_deadline_only(message: Any, late: float, calls: bool) -> None:
    world = World()

    async def scenario() -> object:
        task = world.begin(message)
        await turns()
        world.now = late
        world.held.run()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    ended = asyncio.run(scenario())
    assert bool(world.retriever.calls) == calls
    if not calls:
        assert isinstance(ended, Aborted) and ended.args == (grpc.StatusCode.DEADLINE_EXCEEDED,)


@KINDS
def test_a_deadline_that_passes_while_the_request_is_read_counts(
    message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, read = World(), read_request

    def slow(single: pb.RetrieveRequest) -> Request:
        world.now = DEADLINE
        return read(single)

    monkeypatch.setattr("recsys_server.service.read_request", slow)

    async def scenario() -> None:
        task = world.begin(message)
        await turns()
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
        task = world.begin(pb.BatchRetrieveRequest(requests=[SINGLE] * 9))
        await turns()
        world.held.run()
        with pytest.raises(Aborted, match="DEADLINE_EXCEEDED"):
            await task

    asyncio.run(scenario())
    assert world.retriever.calls == [Query(user_id="ann")] * 3, "begun at 0, 2 and 4 seconds"


@KINDS
def test_a_call_cancelled_in_the_queue_is_never_begun(message: Any) -> None:
    world = World()

    async def scenario() -> None:
        task = world.begin(message)
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        world.held.run()

    asyncio.run(scenario())
    assert world.retriever.calls == []


def test_calls_that_wait_at_the_same_time_are_answered_together() -> None:
    world = World()

    async def scenario() -> list[bytes]:
        tasks = [world.begin(SINGLE) for _ in range(5)]
        await turns()
        world.held.run()
        return await asyncio.gather(*tasks)

    answers = asyncio.run(scenario())
    assert world.retriever.together == [5]
    assert len({*answers}) == 1 and pb.RetrieveResponse.FromString(answers[0]).candidates


def test_a_large_call_neither_delays_single_ones_nor_waits_for_ever() -> None:
    batches: list[list[str]] = []

    async def scenario() -> None:
        def answer(parts: Sequence[Part]) -> list[str]:
            batches.append([part.request for part in parts])
            return [part.request for part in parts]

        held = Held()
        batcher = Batcher(answer, executor=held, admission=Admission(QueueLimits()))
        large = [asyncio.create_task(_submit(batcher, ["large"] * 2 * BATCH)) for _ in range(2)]
        singles = [asyncio.create_task(_submit(batcher, ["single"])) for _ in range(BATCH)]
        await turns()
        held.run()
        await asyncio.gather(*large, *singles)

    asyncio.run(scenario())
    assert {len(batch) for batch in batches} == {BATCH}
    assert [batch.count("single") for batch in batches[:3]] == [BATCH // 2, BATCH // 2, 0]


def test_a_batch_that_runs_counts_as_waiting() -> None:
    waits, admission, held = [], Admission(QueueLimits()), Held()

    def answer(parts: Sequence[Part]) -> list[str]:
        waits.append(admission.wait)
        return [part.request for part in parts]

    async def scenario() -> None:
        batcher = Batcher(answer, executor=held, admission=admission)
        large = asyncio.create_task(_submit(batcher, ["large"] * 2 * BATCH))
        await turns()
        held.run()
        await large

    asyncio.run(scenario())
    assert len(waits) == 2 and min(waits) > 0 == admission.wait


def test_a_thread_never_waits_for_a_batch_to_fill() -> None:
    sizes, held = list[int](), Held()

    def answer(parts: Sequence[Part]) -> list[str]:
        sizes.append(len(parts))
        if len(sizes) == 1:  # one call comes while the first batch runs
            begun[0].send(None)
        return [part.request for part in parts]

    async def scenario() -> None:
        batcher = Batcher(answer, executor=held, admission=Admission(QueueLimits()))
        begun.append(_submit(batcher, ["later"]))
        first = [asyncio.create_task(_submit(batcher, ["first"])) for _ in range(3)]
        await turns()
        held.run()
        await asyncio.gather(*first)
        begun[0].close()

    begun = list[Any]()
    asyncio.run(scenario())
    assert sizes == [3, 1]


def test_a_batch_has_room_for_histories_of_50_items() -> None:
    history = pb.History(item_ids=["lamp"] * 50)
    request = pb.RetrieveRequest(query=pb.Query(history=history), k=100)
    assert BATCH * cost_of(request) == BATCH_COST


async def _submit(batcher: Batcher, requests: list[str]) -> list[Any]:
    return await batcher.submit(requests, [1.0] * len(requests), size=1, seconds=None)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (QueueLimits(calls=2), "2 calls wait"),
        (QueueLimits(bytes=1_024), "1,000 bytes of calls wait"),
        (QueueLimits(seconds=0.015), "calls wait for 0.02 seconds"),
        (QueueLimits(), "calls wait for 0.02 seconds, and the deadline is in 0.025"),
    ],
)
def test_more_than_may_wait_is_refused_with_the_time_of_a_retry(
    limits: QueueLimits, reason: str
) -> None:
    admission = Admission(limits)
    for _ in range(2):
        admission.admit(cost=10_000.0, size=500, seconds=1.0)  # 0.01 seconds at first
    with pytest.raises(OverloadedError, match=reason) as caught:
        admission.admit(cost=10_000.0, size=500, seconds=0.025)
    assert caught.value.retry_after == 0.05


def test_work_that_ends_or_is_given_up_makes_room() -> None:
    admission = Admission(QueueLimits(calls=1, bytes=1_024, seconds=0.001))
    for _ in range(3):
        admission.admit(cost=10_000.0, size=1_000, seconds=0.0001)
        admission.done(10_000.0)
        admission.end(1_000)
    assert (admission.calls, admission.wait) == (0, 0.0)


def test_the_wait_is_estimated_from_the_batches_so_far() -> None:
    admission = Admission(QueueLimits(seconds=100), threads=2)
    for _ in range(200):
        admission.measure(1_000.0, 0.5)
    admission.admit(cost=2_000.0, size=1, seconds=None)
    assert admission.wait == pytest.approx(0.5, rel=0.01)


def test_one_batch_that_was_held_up_refuses_no_call() -> None:
    admission = Admission(QueueLimits(seconds=1))
    for _ in range(100):
        admission.measure(1_000.0, 0.001)
    admission.measure(1_000.0, 2.0)
    for _ in range(100):
        admission.admit(cost=1_000.0, size=1, seconds=5.0)
    assert admission.wait < 0.2


def test_a_refused_call_has_a_status_with_the_time_of_a_retry() -> None:
    world = World(queue=QueueLimits(calls=1))

    async def scenario() -> None:
        first = world.begin(SINGLE)
        await turns()
        with pytest.raises(Aborted, match="RESOURCE_EXHAUSTED"):
            await world.begin(SINGLE)
        world.held.run()
        await first

    asyncio.run(scenario())
    assert len(world.retriever.calls) == 1
    status = to_status(OverloadedError("later", retry_after=1.5))
    retry = RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    assert retry.retry_delay.ToTimedelta().total_seconds() == 1.5
    back = from_status(status)
    assert isinstance(back, OverloadedError) and back.retry_after == 1.5


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [(QueueLimits(calls=2), None), (QueueLimits(seconds=0.015), None), (QueueLimits(), 0.02)],
)
def test_a_call_that_any_message_would_exceed_is_known_beforehand(
    limits: QueueLimits, seconds: float | None
) -> None:
    admission = Admission(limits)
    assert admission.refusal(1e-9) is None  # nothing waits
    for _ in range(2):
        admission.admit(cost=10_000.0, size=500, seconds=None)
    assert admission.refusal(seconds) == 0.05
    with pytest.raises(OverloadedError):
        admission.admit(cost=1.0, size=1, seconds=seconds)
    admission.done(20_000.0)
    admission.end(500)
    assert admission.refusal(seconds) is None


def test_the_message_of_a_refused_call_is_not_read() -> None:
    world = World(queue=QueueLimits(calls=1))

    async def scenario() -> None:
        first = world.begin(SINGLE)
        await turns()
        assert world.service is not None
        with pytest.raises(Aborted, match="RESOURCE_EXHAUSTED"):
            await world.service.receive(None, Call())  # which has nothing to read
        world.held.run()
        await first

    asyncio.run(scenario())


def test_many_cancelled_calls_leave_nothing_behind() -> None:
    world = World(queue=QueueLimits(calls=10))

    async def scenario() -> None:
        for _ in range(10):
            tasks = [world.begin(SINGLE) for _ in range(10)]
            await turns()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        last = world.begin(SINGLE)
        await turns()
        world.held.run()
        await last

    asyncio.run(scenario())
    assert len(world.retriever.calls) == 1


def test_the_cost_of_a_request_grows_with_its_work() -> None:
    def cost(**fields: Any) -> float:
        return cost_of(pb.RetrieveRequest(k=10, **fields))

    history = pb.Query(history=pb.History(item_ids=["a"] * 50))
    item, user = pb.Query(item_id="a"), pb.Query(user_id="ann")
    picture = pb.Query(image=b"...")
    assert cost(query=item) < cost(query=user) < cost(query=history) < cost(query=picture)
    assert cost(query=item, effort=2.0) == 2 * cost(query=item)


def test_a_call_that_has_ended_is_left_alone() -> None:
    class Ended(Call):
        def done(self) -> bool:
            return True

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(abort(Ended(), OverloadedError("later")))


def test_an_abort_that_comes_too_late_leaves_no_traceback() -> None:
    class Ending(Call):
        async def abort_with_status(self, status: grpc.Status) -> NoReturn:
            raise grpc.aio.UsageError("Abort already called!")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(abort(Ending(), OverloadedError("later")))
