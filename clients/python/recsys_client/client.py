"""A typed client: :class:`recsys_client.RetrievalCalls`, answered by a service.

The same call returns the same response, or raises the same exception, as in-process. It neither
retries nor balances; gRPC channels can be configured to do both.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from copy import copy

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recsys_client.calls import RetrievalCalls
from recsys_client.convert import read_response, write_request
from recsys_client.errors import InvalidRequestError, RecsysError, ServiceError
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from recsys_client.request import SERVICE_BATCH, Request
from recsys_client.response import Response
from recsys_client.statuses import from_rpc_error, from_status

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["RetrievalService"].full_name
_POLL_SECONDS = 0.05


class RecsysClient(RetrievalCalls):
    """A connection to a service; thread-safe. Use it as a context manager.

    Args:
        address: Address of the service, HOST:PORT.
        timeout: Seconds that a call may take; :meth:`with_timeout` gives another value.

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

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls that wait are cancelled."""
        self._channel.close()

    def with_timeout(self, timeout: float) -> RecsysClient:
        """This client with another ``timeout``, over the same connection.

        Closing one of them closes both.
        """
        other = copy(self)
        other.timeout = timeout
        return other

    def respond(self, request: Request) -> Response:
        """The response to one request, with the errors of :meth:`retrieve`."""
        message = write_request(request)
        try:
            response = self._service.Retrieve(message, timeout=self.timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.address) from None
        return read_response(response)

    def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
        """For each request the response or the error; requests need nothing in common.

        One call has 128 requests at most, the default limit of a service; more are sent in as
        many calls as needed, one after the other, each with the ``timeout``.

        Raises:
            RecsysError: A call as a whole was refused; a :class:`ServiceError` without an answer.
        """
        answers: dict[int, Response | RecsysError] = {}
        messages: dict[int, pb.RetrieveRequest] = {}
        for position, request in enumerate(requests):
            try:
                messages[position] = write_request(request)
            except InvalidRequestError as error:
                answers[position] = error
        positions = list(messages)
        for start in range(0, len(positions), SERVICE_BATCH):
            sent = positions[start : start + SERVICE_BATCH]
            answers.update(zip(sent, self._answer_batch([messages[each] for each in sent])))
        return [answers[position] for position in range(len(requests))]

    def _answer_batch(
        self, messages: Sequence[pb.RetrieveRequest]
    ) -> Iterator[Response | RecsysError]:
        batch = pb.BatchRetrieveRequest(requests=messages)
        try:
            response = self._service.BatchRetrieve(batch, timeout=self.timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.address) from None
        for result in response.results:
            failed = result.HasField("error")
            yield from_status(result.error) if failed else read_response(result.response)

    def is_serving(self) -> bool:
        """Whether the standard health service reports SERVING.

        Raises:
            ServiceError: Nothing answers at the address.
        """
        try:
            return self._check(self.timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.address) from None

    def wait_ready(self, timeout: float) -> None:
        """Wait until the standard health service reports SERVING.

        Raises:
            ServiceError: It is not ready within ``timeout``.
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
