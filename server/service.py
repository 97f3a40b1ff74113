"""``recsys.v1.RetrievalService``: reads a request, lets a retriever answer it, writes the answer.

Retrieval blocks, so each call makes one hop to a thread pool and the event loop stays free. Errors
become statuses in ``server.errors``; starting and stopping is the business of ``server.lifecycle``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

import grpc
from grpc_status import rpc_status

from recsys.errors import RecsysError, ServiceError
from recsys.retrieval import Request, Retrieved
from server.convert import read_request, write_response
from server.errors import to_status
from server.limits import Limits
from server.pb.recsys.v1 import retrieval_pb2 as pb
from server.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceServicer

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["RetrievalService"].full_name
Answer = TypeVar("Answer")
Check = Callable[[], None]


class Retriever(Protocol):
    """What the service needs of ``recsys.retrieval.Retriever``. It must allow concurrent calls."""

    def answer(self, requests: Sequence[Request]) -> list[Retrieved | RecsysError]:
        """Per request the answer, or the error; requests need nothing in common."""


class _Expired(Exception):
    """The caller's deadline passed before the work began."""


class RetrievalService(RetrievalServiceServicer):
    """Answers the two calls of the contract from one retriever.

    Args:
        retriever: Answers the queries.
        bundle_version: Named in every response.
        executor: Where retrieval runs.
        limits: The largest request that is answered.
    """

    def __init__(
        self,
        retriever: Retriever,
        bundle_version: str,
        *,
        executor: Executor,
        limits: Limits,
    ) -> None:
        self._retriever = retriever
        self._version = bundle_version
        self._executor = executor
        self._limits = limits
        self._draining = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def Retrieve(self, request: pb.RetrieveRequest, context: Any) -> pb.RetrieveResponse:
        """Candidates for one query."""
        return await self._respond(lambda check: self._retrieve(request), context)

    async def BatchRetrieve(
        self, request: pb.BatchRetrieveRequest, context: Any
    ) -> pb.BatchRetrieveResponse:
        """Candidates for many queries, or per query the error that it would meet alone."""
        return await self._respond(lambda check: self._batch(request, check), context)

    @property
    def in_flight(self) -> int:
        """How many requests are being answered or wait to be."""
        return self._in_flight

    async def drain(self, grace: float) -> int:
        """Refuse new requests and wait ``grace`` seconds at most for those in flight.

        Returns:
            How many are still in flight.
        """
        self._draining = True
        try:
            await asyncio.wait_for(self._idle.wait(), grace)
        except asyncio.TimeoutError:
            return self._in_flight
        return 0

    async def _respond(self, work: Callable[[Check], Answer], context: Any) -> Answer:
        """The answer of ``work``, done off the event loop, unless the deadline passes before."""
        remaining = context.time_remaining()
        deadline = float("inf") if remaining is None else time.monotonic() + remaining
        self._in_flight += 1
        self._idle.clear()
        try:
            if self._draining:
                raise ServiceError("the service is stopping; ask again, another may answer")
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, _before, deadline, work)
        except _Expired:
            await context.abort(
                grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the work began"
            )
        except Exception as error:
            await context.abort_with_status(rpc_status.to_status(to_status(error)))
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()
        raise AssertionError("abort returned")

    def _retrieve(self, message: pb.RetrieveRequest) -> pb.RetrieveResponse:
        self._limits.check(message)
        answer = self._retriever.answer([read_request(message)])[0]
        if isinstance(answer, RecsysError):
            raise answer
        return write_response(answer, self._version)

    def _batch(self, message: pb.BatchRetrieveRequest, check: Check) -> pb.BatchRetrieveResponse:
        self._limits.check_batch(message)
        answers: dict[int, Retrieved | Exception] = {}
        requests: dict[int, Request] = {}
        for position, single in enumerate(message.requests):
            try:
                self._limits.check(single)
                requests[position] = read_request(single)
            except RecsysError as error:
                answers[position] = error
        answers.update(zip(requests, self._answer_all(list(requests.values()), check)))
        return pb.BatchRetrieveResponse(
            results=[self._result(answers[position]) for position in range(len(answers))],
            bundle_version=self._version,
        )

    def _answer_all(self, requests: list[Request], check: Check) -> Sequence[Retrieved | Exception]:
        """Answer requests together; should one of them meet a bug, then each by itself."""
        try:
            return self._retriever.answer(requests)
        except Exception as error:
            if len(requests) == 1:
                return [error]
        answers: list[Retrieved | Exception] = []
        for request in requests:
            check()
            answers += self._answer_all([request], check)
        return answers

    def _result(self, answer: Retrieved | Exception) -> pb.RetrieveResult:
        if isinstance(answer, Exception):
            return pb.RetrieveResult(error=to_status(answer))
        return pb.RetrieveResult(response=write_response(answer, self._version))


def _before(deadline: float, work: Callable[[Check], Answer]) -> Answer:
    """Begin ``work`` only before ``deadline``; it is handed the check, to repeat it in between."""

    def check() -> None:
        if time.monotonic() >= deadline:
            raise _Expired

    check()
    return work(check)
