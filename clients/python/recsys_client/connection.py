"""The connection of a client: its channel, and the methods that were called over it."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

import grpc
from grpc_health.v1 import health_pb2_grpc

from recsys_client.channel import Tls, call_metadata, channel_options
from recsys_client.errors import RecsysError
from recsys_client.operations.operation import Operation
from recsys_client.statuses import from_rpc_error
from recsys_client.throttle import SENT_PER_ANSWER, Throttle, check_share, not_sent

if TYPE_CHECKING:
    from typing_extensions import Self


def count_failure(throttle: Throttle, error: grpc.RpcError, failure: RecsysError) -> None:
    """Count a failed call, of which ``failure`` is the exception."""
    call: Any = error  # as every error of a call that was made is
    if call.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        throttle.late()
    else:
        throttle.failed(failure)


class Connection:
    """A connection to a service; the two clients differ in the library of their channel.

    Args:
        address: Address of the service, HOST:PORT.
        timeout: Seconds that a call may take.
        retries: Number of times that a call which is safe to repeat is sent again.
        tls: Certificates; None for a connection in plain text.
        token: Bearer token of each call, or None.
        throttle: Calls that are sent per answered call while the service refuses calls as
            overloaded; None sends all.

    Raises:
        InvalidRequestError: The address has no host or port, or ``retries`` or ``throttle`` is
            beyond its bounds.

    Example:
        >>> from recsys_client import RecsysClient
        >>> isinstance(RecsysClient("127.0.0.1:50051"), Connection)
        True
    """

    _library: ClassVar[Any]
    """``grpc`` or ``grpc.aio``."""

    def __init__(
        self,
        address: str,
        *,
        timeout: float = 10.0,
        retries: int = 3,
        tls: Tls | None = None,
        token: str | None = None,
        throttle: float | None = SENT_PER_ANSWER,
    ) -> None:
        if throttle is not None:
            check_share(throttle)
        self.address = address
        self.timeout = timeout
        self.bundle = ""
        options = channel_options(address, retries=retries)
        self._channel: Any = (
            self._library.insecure_channel(address, options=options)
            if tls is None
            else self._library.secure_channel(address, tls.credentials(), options=options)
        )
        self._metadata = call_metadata(token)
        self._methods: dict[str, Any] = {}
        self._share = throttle
        self._throttles: dict[str, Throttle] = {}
        self._health = health_pb2_grpc.HealthStub(self._channel)

    def with_timeout(self, timeout: float) -> Self:
        """This client with another ``timeout``, over the same connection.

        Closing one of them closes both.
        """
        other = copy(self)
        other.timeout = timeout
        return other

    def with_token(self, token: str | None) -> Self:
        """This client with another ``token``, or none, over the same connection.

        Closing one of them closes both.
        """
        other = copy(self)
        other._metadata = call_metadata(token)
        other._throttles = {}  # rates are per token
        return other

    def with_bundle(self, bundle: str) -> Self:
        """This client with retrievals and feeds of one bundle, over the same connection.

        Feeds are not recorded then. ``""`` is the bundle of each user again.

        Args:
            bundle: "active", "canary", or the version of one of these; for any other the calls
                raise a :class:`NotFoundError`.
        """
        other = copy(self)
        other.bundle = bundle
        return other

    def _send(self, operation: Operation[Any]) -> Any:
        """Send an operation: its response, or in the asynchronous library a coroutine of it."""
        method = self._methods.get(operation.method)
        if method is None:
            method = self._methods[operation.method] = self._channel.unary_unary(
                operation.method,
                request_serializer=type(operation.request).SerializeToString,
                response_deserializer=operation.response.FromString,
            )
        return method(operation.request, timeout=self.timeout, metadata=self._metadata)

    def _admit(self, method: str) -> Throttle | None:
        """The throttle of a method that is about to be called; None without one.

        Raises:
            OverloadedError: The call is not to be sent.
        """
        if self._share is None:
            return None
        throttle = self._throttles.get(method)
        if throttle is None:
            throttle = self._throttles.setdefault(method, Throttle(self._share))
        seconds = throttle.wait()
        if seconds is not None:
            raise not_sent(self.address, seconds)
        return throttle

    def _failure(self, error: grpc.RpcError, throttle: Throttle | None) -> RecsysError:
        """The exception of a failed call, which its throttle counts."""
        failure = from_rpc_error(error, self.address)
        if throttle is not None:
            count_failure(throttle, error, failure)
        return failure
