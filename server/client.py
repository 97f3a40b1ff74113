"""A typed client: the calls of ``recsys.retrieval.Retriever``, answered by a service elsewhere.

The same call gets the same answer, or the same exception, as in-process. It neither retries nor
balances; gRPC channels do both when told to.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recsys.errors import InvalidRequestError, RecsysError, ServiceError
from recsys.retrieval import (
    TWO_TOWER,
    Fusion,
    Query,
    Request,
    Retrieved,
    Seen,
    UnknownHistory,
)
from server.convert import read_response, write_request
from server.errors import from_rpc_error, from_status
from server.pb.recsys.v1 import retrieval_pb2 as pb
from server.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from server.service import SERVICE_NAME

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Answer(Retrieved):
    """What a service answered.

    Attributes:
        bundle_version: The bundle that answered.
    """

    bundle_version: str = ""


class RecsysClient:
    """A connection to a service. Threads may share it; use it as a context manager.

    Args:
        address: HOST:PORT.
        timeout: Seconds that a call may take, unless the call says otherwise.

    Example:
        >>> with RecsysClient("127.0.0.1:50051") as client:  # doctest: +SKIP
        ...     client.retrieve(user_id="ann", k=10).candidates
    """

    def __init__(self, address: str, *, timeout: float = 10.0) -> None:
        self.address = address
        self.timeout = timeout
        self._channel = grpc.insecure_channel(
            address,
            options=[
                ("grpc.max_receive_message_length", -1),  # the service bounds what it answers
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 2_000),
            ],
        )
        self._service = RetrievalServiceStub(self._channel)
        self._health = health_pb2_grpc.HealthStub(self._channel)

    def __enter__(self) -> RecsysClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls that wait are cancelled."""
        self._channel.close()

    def retrieve(
        self,
        *,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        terms: str | None = None,
        item_id: str | None = None,
        image: bytes | None = None,
        k: int,
        space: str = TWO_TOWER,
        exclude: Sequence[str] = (),
        seen: Seen = "exclude",
        unknown_history: UnknownHistory = "skip",
        fusion: Fusion | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Candidates for one query; see ``recsys.retrieval.Query`` for what may be asked.

        Args:
            user_id: A user known to the bundle.
            history: Item ids, oldest first; empty means a user who has met nothing yet.
            terms: Search terms.
            item_id: An item: what is near it.
            image: The bytes of a picture's file: what looks like it.
            k: How many candidates are wanted.
            space: The space that is searched, or several joined by '+'.
            exclude: Ids that must not be among the candidates.
            seen: Whether items of the history may be candidates.
            unknown_history: Whether ids of the history that the catalogue does not hold are
                skipped and named, or an error.
            fusion: How several spaces become one answer.
            timeout: Seconds; None means the client's.

        Raises:
            RecsysError: As in-process; a :class:`ServiceError` where no answer came.
        """
        query = Query(user_id, history, terms, item_id, image)
        message = write_request(Request(query, k, space, exclude, seen, unknown_history, fusion))
        try:
            response = self._service.Retrieve(message, timeout=self._seconds(timeout))
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.address) from None
        return _answer(response)

    def retrieve_batch(
        self,
        queries: Sequence[Query],
        *,
        k: int,
        space: str = TWO_TOWER,
        exclude: Sequence[str] = (),
        seen: Seen = "exclude",
        unknown_history: UnknownHistory = "skip",
        fusion: Fusion | None = None,
        timeout: float | None = None,
    ) -> list[Answer | RecsysError]:
        """Candidates for many queries, or per query the error that it would meet alone.

        Raises:
            RecsysError: The batch as a whole was refused; a :class:`ServiceError` where no answer
                came.
        """
        return self.answer(
            [Request(query, k, space, exclude, seen, unknown_history, fusion) for query in queries],
            timeout=timeout,
        )

    def answer(
        self, requests: Sequence[Request], *, timeout: float | None = None
    ) -> list[Answer | RecsysError]:
        """Per request the answer or the error; requests need nothing in common.

        Raises:
            RecsysError: The batch as a whole was refused; a :class:`ServiceError` where no answer
                came.
        """
        answers: dict[int, Answer | RecsysError] = {}
        messages: dict[int, pb.RetrieveRequest] = {}
        for position, request in enumerate(requests):
            try:
                messages[position] = write_request(request)
            except InvalidRequestError as error:
                answers[position] = error
        if messages or not requests:
            answers.update(zip(messages, self._answer_all(list(messages.values()), timeout)))
        return [answers[position] for position in range(len(requests))]

    def _answer_all(
        self, messages: list[pb.RetrieveRequest], timeout: float | None
    ) -> list[Answer | RecsysError]:
        batch = pb.BatchRetrieveRequest(requests=messages)
        try:
            response = self._service.BatchRetrieve(batch, timeout=self._seconds(timeout))
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.address) from None
        return [
            from_status(result.error) if result.HasField("error") else _answer(result.response)
            for result in response.results
        ]

    def is_serving(self, *, timeout: float | None = None) -> bool:
        """Whether standard health says SERVING.

        Raises:
            ServiceError: Nothing answers at the address.
        """
        try:
            return self._check(self._seconds(timeout))
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.address) from None

    def wait_ready(self, timeout: float) -> None:
        """Wait until standard health says SERVING.

        Args:
            timeout: Seconds.

        Raises:
            ServiceError: It does not within ``timeout``.
        """
        deadline = time.monotonic() + timeout
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                if self._check(remaining):
                    return
            except grpc.RpcError:
                pass  # not there yet, or going away; the deadline decides
            time.sleep(_POLL_SECONDS)
        raise ServiceError(
            f"no service was ready at {self.address} within {timeout:g} seconds; check that it runs"
        )

    def _check(self, timeout: float) -> bool:
        request = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
        response = self._health.Check(request, timeout=timeout, wait_for_ready=True)
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

    def _seconds(self, timeout: float | None) -> float:
        return self.timeout if timeout is None else timeout


def _answer(message: pb.RetrieveResponse) -> Answer:
    return Answer(**vars(read_response(message)), bundle_version=message.bundle_version)
