"""Messages on the wire: bytes that are no message are INVALID_ARGUMENT, not a traceback.

gRPC reports a request that cannot be parsed as UNKNOWN and logs a traceback. Here the methods of a
service get the bytes, and parse them where an error has its status.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_status import rpc_status

from recsys.errors import InvalidRequestError, OverloadedError
from recsys_server.statuses import to_status

M = TypeVar("M", bound=Message)
REQUEST_ID = "x-request-id"
"""Metadata with the caller's id of a request; a failed call returns it in trailing metadata."""
_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_numbers = itertools.count(1)


class _Status(NamedTuple):
    """A :class:`grpc.Status`."""

    code: Any
    details: str
    trailing_metadata: Any


def parse(kind: type[M], raw: bytes) -> M:
    """The message that the bytes hold.

    Raises:
        InvalidRequestError: They hold none of this kind.

    Example:
        >>> from recsys_client.pb.recsys.v1.retrieval_pb2 import RetrieveRequest
        >>> parse(RetrieveRequest, b"\\x10\\x05").k
        5
    """
    try:
        return kind.FromString(raw)
    except DecodeError:
        name = kind.DESCRIPTOR.full_name
        raise InvalidRequestError(
            f"the {len(raw):,} bytes of the request are no message {name}; generate the client from"
            " the protos of this version"
        ) from None


async def abort(context: Any, error: Exception) -> NoReturn:
    """End a call with the status of an error; a call that has ended already is left alone."""
    status = rpc_status.to_status(to_status(error))
    metadata = (*status.trailing_metadata, (REQUEST_ID, request_id(context)))
    identified = _Status(status.code, status.details, metadata)
    await _end(context, lambda: context.abort_with_status(identified))


async def abort_overloaded(context: Any, retry: float) -> NoReturn:
    """Refuse a call that may be repeated after some seconds; its status is made once."""
    status = _overloaded(round(retry, 2))
    metadata = (*status.trailing_metadata, (REQUEST_ID, request_id(context)))
    identified = _Status(status.code, status.details, metadata)
    await _end(context, lambda: context.abort_with_status(identified))


@lru_cache(maxsize=256)
def _overloaded(retry: float) -> Any:
    text = f"too many calls wait; retry in {retry:g} seconds"
    return rpc_status.to_status(to_status(OverloadedError(text, retry_after=retry)))


async def abort_late(context: Any) -> NoReturn:
    """End a call whose deadline has passed or whose caller has given up."""
    text = "the deadline passed before the work was done"
    await _end(context, lambda: context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, text))


def request_id(context: Any) -> str:
    """The caller's id of a request, or a new one where it sent none that can be logged."""
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID and isinstance(value, str) and _SAFE_ID.fullmatch(value):
            return value
    return f"{os.getpid():x}-{next(_numbers)}"


async def _end(context: Any, end: Callable[[], Awaitable[None]]) -> NoReturn:
    try:
        if not context.done():
            await end()
    except grpc.aio.AbortError:
        raise
    except grpc.aio.BaseError:
        pass  # It ended meanwhile: its deadline passed, or its caller gave up.
    raise asyncio.CancelledError


class ParsedMessages:
    """A server on which the generated ``add_..._to_server`` functions register parsing methods.

    Args:
        server: The server that gets the methods.

    Example:
        >>> async def serve(service, add_to_server) -> None:
        ...     server = grpc.aio.server()
        ...     add_to_server(service, ParsedMessages(server))
    """

    def __init__(self, server: Any) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Register handlers that gRPC finds by the name of a method."""
        self._server.add_generic_rpc_handlers(tuple(map(_ParsedHandlers, handlers)))

    def add_registered_method_handlers(self, service_name: str, handlers: Any) -> None:
        """Nothing: the handlers above are enough."""


class _ParsedHandlers(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    def __init__(self, handlers: Any) -> None:
        self._handlers = handlers
        self._made: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        name = handler_call_details.method
        if name not in self._made:
            handler = self._handlers.service(handler_call_details)
            if handler is None:  # a method of another service, and not to be remembered
                return None
            self._made[name] = _parsed(handler)
        return self._made[name]


def _parsed(handler: Any) -> Any:
    """A handler that gets bytes and parses them before it calls the given one."""
    ways = ("unary", "stream")
    kind = f"{ways[handler.request_streaming]}_{ways[handler.response_streaming]}"
    behaviour, read = getattr(handler, kind), handler.request_deserializer
    requests = _requests if handler.request_streaming else _request

    async def respond(raw: Any, context: Any) -> Any:
        return await behaviour(await requests(raw, context, read), context)

    async def respond_often(raw: Any, context: Any) -> Any:
        async for response in behaviour(await requests(raw, context, read), context):
            yield response

    method = respond_often if inspect.isasyncgenfunction(behaviour) else respond
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(method, response_serializer=handler.response_serializer)


async def _request(raw: bytes, context: Any, read: Any) -> Message:
    try:
        message: Message = parse(read.__self__, raw)
    except InvalidRequestError as error:
        await abort(context, error)
    return message


async def _requests(raw: AsyncIterator[bytes], context: Any, read: Any) -> Any:
    async def parsed() -> AsyncIterator[Message]:
        async for each in raw:
            yield await _request(each, context, read)

    return parsed()
