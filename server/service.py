"""``recsys.v1.RetrievalService``: reads a request, lets a retriever answer it, writes the answer.

Retrieval blocks, so each call makes one hop to a thread pool and the event loop stays free. Errors
become statuses in ``server.errors``; starting and stopping is the business of ``server.lifecycle``.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

import grpc
from grpc_status import rpc_status
from recsys.retrieval import Query, Retrieved

from recsys.errors import RecsysError, ServiceError
from server.convert import (
    Seen,
    Settings,
    UnknownHistory,
    read_query,
    read_settings,
    write_response,
)
from server.errors import to_status
from server.limits import Limits
from server.pb.recsys.v1 import retrieval_pb2 as pb
from server.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceServicer

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["RetrievalService"].full_name
Answer = TypeVar("Answer")
Check = Callable[[], None]


class Retriever(Protocol):
    """What the service needs of ``recsys.retrieval.Retriever``. It must allow concurrent calls."""

    def retrieve(
        self,
        query: Query,
        *,
        k: int,
        space: str = ...,
        exclude: Sequence[str] = ...,
        seen: Seen = ...,
        unknown_history: UnknownHistory = ...,
    ) -> Retrieved:
        """Candidates for one query."""

    def retrieve_batch(
        self,
        queries: Sequence[Query],
        *,
        k: int,
        space: str = ...,
        exclude: Sequence[str] = ...,
        seen: Seen = ...,
        unknown_history: UnknownHistory = ...,
    ) -> list[Retrieved]:
        """Candidates for many queries, each as :meth:`retrieve` would answer it."""


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

    def _retrieve(self, request: pb.RetrieveRequest) -> pb.RetrieveResponse:
        self._limits.check(request)
        settings = read_settings(request)
        retrieved = self._retriever.retrieve(read_query(request.query), **vars(settings))
        return write_response(retrieved, self._version)

    def _batch(self, request: pb.BatchRetrieveRequest, check: Check) -> pb.BatchRetrieveResponse:
        self._limits.check_batch(request)
        results = [pb.RetrieveResult() for _ in request.requests]
        alike: dict[Settings, list[int]] = defaultdict(list)
        for position, single in enumerate(request.requests):
            try:
                self._limits.check(single)
                alike[read_settings(single)].append(position)
            except RecsysError as error:
                results[position].error.CopyFrom(to_status(error))
        queries = [read_query(single.query) for single in request.requests]
        for settings, positions in alike.items():
            answers = self._answer_all([queries[at] for at in positions], settings, check)
            for position, answer in zip(positions, answers):
                if isinstance(answer, Exception):
                    results[position].error.CopyFrom(to_status(answer))
                else:
                    results[position].response.CopyFrom(write_response(answer, self._version))
        return pb.BatchRetrieveResponse(results=results, bundle_version=self._version)

    def _answer_all(
        self, queries: list[Query], settings: Settings, check: Check
    ) -> list[Retrieved | Exception]:
        """Answer queries together; where that fails, in halves, until the faulty ones are alone."""
        check()
        try:
            return [*self._retriever.retrieve_batch(queries, **vars(settings))]
        except Exception as error:
            if len(queries) == 1:
                return [error]
        middle = len(queries) // 2
        return [
            answer
            for half in (queries[:middle], queries[middle:])
            for answer in self._answer_all(half, settings, check)
        ]


def _before(deadline: float, work: Callable[[Check], Answer]) -> Answer:
    """Begin ``work`` only before ``deadline``; it is handed the check, to repeat it in between."""

    def check() -> None:
        if time.monotonic() >= deadline:
            raise _Expired

    check()
    return work(check)
