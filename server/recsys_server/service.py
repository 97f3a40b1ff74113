"""``recsys.v1.RetrievalService``: reads a request, calls a retriever, writes the response.

Calls wait in a bounded queue (``recsys_server.queueing``), from which threads answer them in
batches, so that the event loop stays free. Errors become statuses in ``recsys_server.statuses``;
``recsys_server.lifecycle`` starts and stops the service.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc

from recsys.errors import OverloadedError
from recsys.retrieval import Request, Response
from recsys.retrieval.budget import AbandonedError, Budget
from recsys_client.convert import read_request
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_server.limits import Limits
from recsys_server.messages import abort, abort_late, abort_overloaded, parse
from recsys_server.metrics.stages import StageMetrics
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.queueing.admission import Admission, QueueLimits, cost_of
from recsys_server.queueing.answers import AnswerCache
from recsys_server.queueing.batching import Batcher, Part
from recsys_server.response_bytes import batch_bytes, response_bytes
from recsys_server.rollout import Deployment, LoadedBundle, Retriever, Rollout
from recsys_server.statuses import to_status

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["RetrievalService"].full_name
PICTURE_THREADS = 2
"""Number of batches with pictures that are answered at once."""


class DeadlinePassed(Exception):
    """The caller's deadline passed, or the caller cancelled, before the work was done."""


@dataclass(eq=False)
class Query:
    """A request and the bundles that answered when it arrived.

    Attributes:
        message: The request.
        deployment: The bundles.
        arrived: Time of its arrival, in seconds of ``time.perf_counter``.
        watermark: Watermark of the state that has answered.
        answered: Bundle that has answered, the user of the request, and the state of both.
    """

    message: pb.RetrieveRequest
    deployment: Deployment
    arrived: float = field(default_factory=time.perf_counter)
    watermark: int = 0
    answered: tuple[LoadedBundle, str | None, tuple[int, int]] | None = None


class RetrievalService:
    """Answers the two calls of the contract from the bundles of a rollout.

    Work whose deadline has passed or whose caller has cancelled is not begun; this is checked
    before each stage: reading the request, retrieving, writing the response.

    Args:
        rollout: The bundles that answer.
        executor: Threads that retrieve.
        picture_executor: Threads that answer calls with a picture, ``PICTURE_THREADS`` of them, so
            that a picture which takes long to decode holds up no other call.
        limits: The largest request that is answered.
        queue: The work that may wait.
        threads: Number of batches that run at the same time.
        clock: Time in seconds, with which deadlines are compared.
        metrics: Metrics of the worker.
    """

    def __init__(
        self,
        rollout: Rollout,
        *,
        executor: Executor,
        picture_executor: Executor,
        limits: Limits,
        queue: QueueLimits | None = None,
        threads: int = 1,
        clock: Callable[[], float] = time.monotonic,
        metrics: WorkerMetrics | None = None,
    ) -> None:
        self._rollout = rollout
        self._limits = limits
        self._stages = StageMetrics(metrics or WorkerMetrics())
        self._admission = Admission(queue or QueueLimits(), threads)
        self._cache = AnswerCache()
        self._batcher = Batcher(
            self._answer, executor=executor, admission=self._admission, clock=clock
        )
        self._picture_batcher = Batcher(
            self._answer,
            executor=picture_executor,
            admission=Admission(queue or QueueLimits(), PICTURE_THREADS),
            clock=clock,
        )

    def add_to(self, server: Any) -> None:
        """Register the calls, which read and write bytes."""
        calls = {
            # On the wire it is unary. gRPC reads the message of a unary call before it calls.
            "Retrieve": grpc.stream_unary_rpc_method_handler(self.receive),
            "BatchRetrieve": grpc.unary_unary_rpc_method_handler(self.retrieve_batch),
        }
        handler = grpc.method_handlers_generic_handler(SERVICE_NAME, calls)
        server.add_generic_rpc_handlers((handler,))

    async def receive(self, messages: Any, context: Any) -> bytes:
        """The response to a call, which is refused before its message is read if too much waits."""
        retry = self._admission.refusal(context.time_remaining())
        if retry is not None:
            self._stages.shed()
            await abort_overloaded(context, retry)
        raw = await context.read()
        return await self.retrieve(raw if isinstance(raw, bytes) else b"", context)

    async def retrieve(self, raw: bytes, context: Any) -> bytes:
        """The bytes of a ``RetrieveResponse`` to those of a ``RetrieveRequest``."""
        deployment = self._rollout.current
        known = self._cache.find(raw, deployment)
        if known is not None:
            self._stages.answered_from_cache()
            return known
        try:
            message = parse(pb.RetrieveRequest, raw)
            query = Query(message, deployment)
            outcomes = await self._batcher_of([message]).submit(
                [query], [cost_of(message)], size=len(raw), seconds=context.time_remaining()
            )
            if isinstance(outcomes[0], bytes):
                if query.answered is not None:
                    self._cache.store(raw, *query.answered, outcomes[0])
                return outcomes[0]
            error = outcomes[0]
        except Exception as failed:
            error = failed
        await self._fail(context, error)

    async def retrieve_batch(self, raw: bytes, context: Any) -> bytes:
        """The bytes of a ``BatchRetrieveResponse`` to those of a ``BatchRetrieveRequest``."""
        try:
            message = parse(pb.BatchRetrieveRequest, raw)
            self._limits.check_batch(message)
            deployment = self._rollout.current
            queries = [Query(each, deployment) for each in message.requests]
            outcomes = await self._batcher_of(message.requests).submit(
                queries,
                [cost_of(each) for each in message.requests],
                size=len(raw),
                seconds=context.time_remaining(),
            )
            if not any(isinstance(each, DeadlinePassed | AbandonedError) for each in outcomes):
                return _batch_response(outcomes, queries, deployment)
            error: Exception = DeadlinePassed()
        except Exception as failed:
            error = failed
        await self._fail(context, error)

    @property
    def queue(self) -> Admission:
        """What waits."""
        return self._admission

    async def _fail(self, context: Any, error: Exception) -> NoReturn:
        """End a call with the status of an error."""
        if isinstance(error, DeadlinePassed | AbandonedError):
            await abort_late(context)
        if isinstance(error, OverloadedError):
            self._stages.shed()
        await abort(context, error)

    def _batcher_of(self, messages: Sequence[pb.RetrieveRequest]) -> Batcher:
        has_picture = any(each.query.image for each in messages)
        return self._picture_batcher if has_picture else self._batcher

    def _answer(self, parts: Sequence[Part]) -> list[bytes | Exception]:
        """Per part the bytes of its response, or the reason why there is none."""
        outcomes: dict[Part, bytes | Exception] = {}
        groups: dict[LoadedBundle, dict[Part, Request]] = defaultdict(dict)
        now = time.perf_counter()
        stages = self._stages.begin([now - part.request.arrived for part in parts])
        for part in parts:
            message = part.request.message
            try:
                _check_wanted(part)
                self._limits.check(message)
                request = read_request(message)
                loaded = part.request.deployment.choose(message.bundle, request.query.user_id or "")
                groups[loaded][part] = request
            except Exception as error:
                outcomes[part] = error
                if isinstance(error, DeadlinePassed | AbandonedError):
                    self._stages.dropped("read")
        stages.end("read")
        for loaded, requests in groups.items():
            first = next(iter(requests)).request.deployment
            role = "active" if loaded is first.active else "canary"
            view = loaded.view()
            answers = _answers(view.retriever, requests)
            stages.end("retrieve", role)
            for part, answer in answers.items():
                if isinstance(answer, Exception):
                    outcomes[part] = answer
                    if isinstance(answer, DeadlinePassed):
                        self._stages.dropped("retrieve")
                else:
                    outcomes[part] = response_bytes(answer)
                    part.request.watermark = answer.watermark
                    user_id = requests[part].query.user_id
                    # What is popular changes with the interactions of others.
                    is_popular = answer.fallback == "popularity" and view.snapshot is not None
                    if not is_popular and not part.request.message.bundle:
                        part.request.answered = loaded, user_id, view.state_of(user_id)
                    self._stages.answered(role, answer.space)
            stages.end("write", role)
        return [outcomes[part] for part in parts]


def _answers(
    retriever: Retriever, requests: dict[Part, Request]
) -> dict[Part, Response | Exception]:
    """Answers to requests together; if one of them hits a bug, then to each by itself."""
    late = {part: DeadlinePassed() for part in requests if not part.is_wanted}
    wanted = {part: request for part, request in requests.items() if part not in late}
    answers: dict[Part, Response | Exception] = {**late}
    if not wanted:
        return answers
    try:
        # Without an object per candidate, and ended between its stages, where the retriever can.
        answer = getattr(retriever, "answer_in_columns", None)
        if answer is None:
            found = retriever.answer(list(wanted.values()))
        else:
            parts = list(wanted)
            budget = Budget(lambda position: parts[position].is_wanted)
            found = answer(list(wanted.values()), budget)
        answers |= zip(wanted, found)
    except Exception as error:
        if len(wanted) == 1:
            return answers | dict.fromkeys(wanted, error)
        for part, request in wanted.items():
            answers |= _answers(retriever, {part: request})
    return answers


def _batch_response(
    outcomes: Sequence[bytes | Exception], queries: Sequence[Query], deployment: Deployment
) -> bytes:
    results = [each if isinstance(each, bytes) else to_status(each) for each in outcomes]
    pairs = zip(queries, outcomes)
    answered = [query.watermark for query, outcome in pairs if isinstance(outcome, bytes)]
    return batch_bytes(results, deployment.active.version, min(answered, default=0))


def _check_wanted(part: Part) -> None:
    if not part.is_wanted:
        raise DeadlinePassed
