"""``recsys.v1.RetrievalService``: reads a request, calls a retriever, writes the response.

Retrieval blocks, so each call runs in a thread pool and the event loop stays free. Errors become
statuses in ``recsys_server.statuses``; ``recsys_server.lifecycle`` starts and stops the service.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

import grpc
from grpc_status import rpc_status

from recsys.errors import RecsysError, ServiceError
from recsys.retrieval import Request, Response
from recsys_client.convert import read_request, write_response
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceServicer
from recsys_server.limits import Limits
from recsys_server.rollout import LoadedBundle, Retriever, Rollout
from recsys_server.statuses import to_status

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["RetrievalService"].full_name
Answer = TypeVar("Answer")


class _Abandoned(Exception):
    """The caller's deadline passed, or the caller cancelled, before the retrieval began."""


class _Caller:
    """What a worker thread checks last before it retrieves: that the caller still waits."""

    def __init__(self, seconds: float | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._deadline = float("inf") if seconds is None else clock() + seconds
        self.cancelled = False

    def check(self) -> None:
        if self.cancelled or self._clock() >= self._deadline:
            raise _Abandoned


class RetrievalService(RetrievalServiceServicer):
    """Answers the two calls of the contract from the bundles of a rollout.

    A call that waits in the executor while its deadline passes or its caller cancels reaches the
    retriever never: the thread checks for both immediately before each retrieval. ``clock``
    measures deadlines, in seconds.
    """

    def __init__(
        self,
        rollout: Rollout,
        *,
        executor: Executor,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rollout = rollout
        self._executor = executor
        self._limits = limits
        self._clock = clock
        self._draining = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def Retrieve(self, request: pb.RetrieveRequest, context: Any) -> pb.RetrieveResponse:
        """Candidates for one query."""
        return await self._respond(lambda caller: self._retrieve(request, caller), context)

    async def BatchRetrieve(
        self, request: pb.BatchRetrieveRequest, context: Any
    ) -> pb.BatchRetrieveResponse:
        """For each query the response, or the error, of :meth:`Retrieve`."""
        return await self._respond(lambda caller: self._batch(request, caller), context)

    @property
    def in_flight(self) -> int:
        """Number of requests that wait, run or are being answered."""
        return self._in_flight

    async def drain(self, grace: float) -> int:
        """Refuse new requests, wait ``grace`` seconds at most; returns the number in flight."""
        self._draining = True
        try:
            await asyncio.wait_for(self._idle.wait(), grace)
        except asyncio.TimeoutError:
            return self._in_flight
        return 0

    async def _respond(self, work: Callable[[_Caller], Answer], context: Any) -> Answer:
        """The result of ``work``, run off the event loop unless the deadline passes first."""
        caller = _Caller(context.time_remaining(), self._clock)
        self._in_flight += 1
        self._idle.clear()
        context.add_done_callback(self._count_ended)
        try:
            if self._draining:
                raise ServiceError("the service is stopping; retry, another may answer")
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, work, caller)
        except asyncio.CancelledError:
            caller.cancelled = True
            raise
        except _Abandoned:
            await context.abort(
                grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the work began"
            )
        except Exception as error:
            await context.abort_with_status(rpc_status.to_status(to_status(error)))
        raise AssertionError("abort returned")

    def _count_ended(self, context: Any) -> None:
        """Called by gRPC once the response is sent, or the call is cancelled."""
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()

    def _retrieve(self, message: pb.RetrieveRequest, caller: _Caller) -> pb.RetrieveResponse:
        caller.check()
        self._limits.check(message)
        request = read_request(message)
        caller.check()
        loaded = self._rollout.current.for_user(request.query.user_id or "")
        answer = loaded.retriever.answer([request])[0]
        if isinstance(answer, RecsysError):
            raise answer
        return write_response(answer)

    def _batch(self, message: pb.BatchRetrieveRequest, caller: _Caller) -> pb.BatchRetrieveResponse:
        caller.check()
        self._limits.check_batch(message)
        answers: dict[int, Response | Exception] = {}
        requests: dict[int, Request] = {}
        for position, single in enumerate(message.requests):
            try:
                self._limits.check(single)
                requests[position] = read_request(single)
            except RecsysError as error:
                answers[position] = error
        deployment = self._rollout.current
        groups: dict[LoadedBundle, list[int]] = {}
        for position, request in requests.items():
            loaded = deployment.for_user(request.query.user_id or "")
            groups.setdefault(loaded, []).append(position)
        for loaded, positions in groups.items():
            some = [requests[position] for position in positions]
            answers.update(zip(positions, self._answer_all(loaded.retriever, some, caller)))
        return pb.BatchRetrieveResponse(
            results=[
                pb.RetrieveResult(error=to_status(answer))
                if isinstance(answer, Exception)
                else pb.RetrieveResult(response=write_response(answer))
                for _, answer in sorted(answers.items())
            ],
            bundle_version=deployment.active.version,
        )

    def _answer_all(
        self, retriever: Retriever, requests: list[Request], caller: _Caller
    ) -> Sequence[Response | Exception]:
        """Answer requests together; if one of them hits a bug, then each by itself."""
        caller.check()
        try:
            return retriever.answer(requests)
        except Exception as error:
            if len(requests) == 1:
                return [error]
        answers: list[Response | Exception] = []
        for request in requests:
            answers += self._answer_all(retriever, [request], caller)
        return answers
