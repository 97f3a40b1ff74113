"""The connection of a client: its channel, and the methods that were called over it."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

from grpc_health.v1 import health_pb2_grpc

from recsys_client.channel import Tls, call_metadata, channel_options
from recsys_client.operations.operation import Operation

if TYPE_CHECKING:
    from typing_extensions import Self


class Connection:
    """A connection to a service; the two clients differ in the library of their channel.

    Args:
        address: Address of the service, HOST:PORT.
        timeout: Seconds that a call may take.
        retries: Number of times that a call which is safe to repeat is sent again.
        tls: Certificates; None for a connection in plain text.
        token: Bearer token of each call, or None.

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
    ) -> None:
        self.address = address
        self.timeout = timeout
        options = channel_options(address, retries=retries)
        self._channel: Any = (
            self._library.insecure_channel(address, options=options)
            if tls is None
            else self._library.secure_channel(address, tls.credentials(), options=options)
        )
        self._metadata = call_metadata(token)
        self._methods: dict[str, Any] = {}
        self._health = health_pb2_grpc.HealthStub(self._channel)

    def with_timeout(self, timeout: float) -> Self:
        """This client with another ``timeout``, over the same connection.

        Closing one of them closes both.
        """
        other = copy(self)
        other.timeout = timeout
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
