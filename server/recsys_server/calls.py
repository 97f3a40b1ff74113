"""What every call passes through: its token, counting, the status of an error, a line in the log.

The methods of a service are wrapped once, when the server starts, which costs less per call than an
interceptor.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from recsys.errors import OverloadedError
from recsys_server.messages import REQUEST_ID, abort, request_id
from recsys_server.metrics.observation import Observation
from recsys_server.security.access import Access, RateExceededError, required_scope

LINES_PER_SECOND = 10
"""Lines of failed calls per second with the same method and status; more are counted only."""
LATE_SECONDS = 0.02
"""Time before its deadline from which a call that ends counts as late: the caller ends it first."""
_DETAILS = "grpc-status-details-bin"
_Code = grpc.StatusCode
_OWN_FAULTS = frozenset(
    {_Code.INTERNAL, _Code.UNKNOWN, _Code.DATA_LOSS, _Code.UNAVAILABLE, _Code.RESOURCE_EXHAUSTED}
)
_log = logging.getLogger(__name__)

Behaviour = Callable[[Any, Any], Any]


class Calls:
    """The calls of a server: those in flight, and how each of them ends.

    It takes the place of the server where services are added: their methods raise a
    ``RecsysError``, or abort with a status of their own.

    Args:
        server: The server.
        access: Tokens that callers need; None for none.
        observation: Metrics, log and traces of the calls.

    Attributes:
        in_flight: Number of calls that wait, run or are being answered. A call with a stream of
            responses, as of watched health, may last for ever and is not counted.

    Example:
        >>> async def serve(add_to_server, service) -> None:
        ...     server = grpc.aio.server()
        ...     add_to_server(service, Calls(server))
    """

    def __init__(
        self,
        server: grpc.aio.Server,
        *,
        access: Access | None = None,
        observation: Observation | None = None,
    ) -> None:
        self.in_flight = 0
        self._server = server
        self._access = access
        observation = observation or Observation()
        self._metrics, self._logged = observation.metrics, observation.slow
        self._slow = observation.slow_requests
        self._idle = asyncio.Event()
        self._idle.set()
        self._lines = _LineLimit()

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Register handlers, whose methods are wrapped."""
        self._server.add_generic_rpc_handlers(tuple(_Wrapped(each, self) for each in handlers))

    def add_registered_method_handlers(self, service_name: str, handlers: Any) -> None:
        """Nothing: the handlers above are enough."""

    async def wait_idle(self, seconds: float) -> int:
        """Wait until no call is in flight; returns the number that is after ``seconds``."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except asyncio.TimeoutError:
            return self.in_flight
        return 0

    def wrap(self, name: str, handler: Any) -> Any:
        """The handler of a method that is counted and logged."""
        ways = ("unary", "stream")
        kind = f"{ways[handler.request_streaming]}_{ways[handler.response_streaming]}"
        behaviour = getattr(handler, kind)
        wrap: Callable[[str, Behaviour], Behaviour]
        if inspect.isasyncgenfunction(behaviour):
            wrap = self._generated
        else:
            wrap = self._written if handler.response_streaming else self._single
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(
            wrap(name, behaviour),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _single(self, name: str, behaviour: Behaviour) -> Callable[[Any, Any], Awaitable[Any]]:
        access, needed = self._needed(name)
        method = name.rpartition("/")[2]
        answered = self._metrics.number("recsys_calls", method, "OK")
        times, slow = self._metrics.histogram("recsys_call_seconds", method), self._slow.threshold

        async def call(request: Any, context: Any) -> Any:
            began, caller = self._begin(context), ""
            try:
                if access is not None:
                    caller = access.check(context.invocation_metadata(), *needed)
                response = await behaviour(request, context)
                seconds = time.perf_counter() - began
                answered.value += 1
                times.observe(seconds)
                if seconds >= slow:
                    self._note_slow(method, "OK", context, seconds, caller)
                return response
            except asyncio.CancelledError:
                # By the deadline, by the caller, or at the end of the grace period.
                left = context.time_remaining()
                is_late = left is not None and left <= LATE_SECONDS
                status = "DEADLINE_EXCEEDED" if is_late else "CANCELLED"
                self._metrics.number("recsys_calls", method, status).value += 1
                seconds = time.perf_counter() - began
                if seconds >= slow:
                    self._note_slow(method, status, context, seconds, caller)
                raise
            except Exception as error:
                await self._end(name, error, context, began, caller)

        return call

    def _written(self, name: str, behaviour: Behaviour) -> Callable[[Any, Any], Awaitable[Any]]:
        access, needed = self._needed(name)

        async def call(request: Any, context: Any) -> Any:
            began, caller = time.perf_counter(), ""
            try:
                if access is not None:
                    caller = access.check(context.invocation_metadata(), *needed)
                return await behaviour(request, context)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                await self._end(name, error, context, began, caller)

        return call

    def _generated(
        self, name: str, behaviour: Behaviour
    ) -> Callable[[Any, Any], AsyncIterator[Any]]:
        access, needed = self._needed(name)

        async def call(request: Any, context: Any) -> AsyncIterator[Any]:
            began, caller = time.perf_counter(), ""
            try:
                if access is not None:
                    caller = access.check(context.invocation_metadata(), *needed)
                async for response in behaviour(request, context):
                    yield response
            except (asyncio.CancelledError, GeneratorExit):
                raise
            except Exception as error:
                await self._end(name, error, context, began, caller)

        return call

    def _begin(self, context: Any) -> float:
        self.in_flight += 1
        self._idle.clear()
        context.add_done_callback(self._ended)
        return time.perf_counter()

    def _ended(self, context: Any) -> None:
        """Called by gRPC once the response is sent, or the call is cancelled."""
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()

    def _needed(self, name: str) -> tuple[Access | None, tuple[str, str]]:
        """What checks a method, and the service and scope that it needs."""
        needed = required_scope(name)
        return (None, ("", "")) if needed is None else (self._access, needed)

    async def _end(
        self, name: str, error: Exception, context: Any, began: float, caller: str
    ) -> NoReturn:
        """End a call with the status of an error, unless that is how the error came to be."""
        try:
            if isinstance(error, grpc.aio.AbortError):
                raise error
            if isinstance(error, OverloadedError):
                reason = "queue"
                if isinstance(error, RateExceededError):
                    reason, caller = "rate", error.token
                self._metrics.number("recsys_calls_shed", reason).value += 1
            await abort(context, error)
        except grpc.aio.AbortError:
            self._failed(name, context, began, caller)
            raise

    def _failed(self, name: str, context: Any, began: float, caller: str) -> None:
        """Write the line of a failed call.

        The line holds no part of the request: a message can contain the id of a user.
        """
        code, method = context.code(), name.rpartition("/")[2]
        status, seconds = getattr(code, "name", str(code)), time.perf_counter() - began
        self._metrics.number("recsys_calls", method, status).value += 1
        if seconds >= self._slow.threshold:
            self._note_slow(method, status, context, seconds, caller)
        suppressed = self._lines.take(name, code)
        if suppressed is None:
            return
        reason, field, its_id = _details(context)
        values: dict[str, Any] = {
            "method": method,
            "status": status,
            "reason": reason,
            "field": field,
            "caller": caller,
            "request_id": its_id,
            "milliseconds": round(1000 * seconds, 1),
            "suppressed": suppressed,
        }
        shown = {key: value for key, value in values.items() if value not in ("", 0)}
        level = logging.WARNING if code in _OWN_FAULTS else logging.INFO
        text = " ".join(f"{key}={value}" for key, value in shown.items())
        _log.log(level, "call failed: %s", text, extra=shown)

    def _note_slow(
        self, method: str, status: str, context: Any, seconds: float, caller: str
    ) -> None:
        """List a slow call for operators; one that was answered has a line in the log."""
        if self._lines.take(method, "slow") is None:
            return
        milliseconds, its_id = round(1000 * seconds, 1), request_id(context)
        self._slow.add(method, status, seconds, caller=caller, request_id=its_id)
        if status != "OK" or seconds < self._logged:
            return
        values = {"method": method, "milliseconds": milliseconds, "request_id": its_id}
        values |= {"caller": caller} if caller else {}
        text = " ".join(f"{key}={value}" for key, value in values.items())
        _log.warning("slow call: %s", text, extra=values)


class _Wrapped(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """The handlers of a service, wrapped on their first call."""

    def __init__(self, handlers: Any, calls: Calls) -> None:
        self._handlers = handlers
        self._calls = calls
        self._made: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        name = handler_call_details.method
        made = self._made.get(name)
        if made is None:
            handler = self._handlers.service(handler_call_details)
            if handler is None:  # a method of another service, and not to be remembered
                return None
            made = self._made[name] = self._calls.wrap(name, handler)
        return made


class _LineLimit:
    """A limit on the number of lines per second."""

    def __init__(self) -> None:
        self._second = 0
        self._written: dict[tuple[str, Any], int] = {}
        self._suppressed: dict[tuple[str, Any], int] = {}

    def take(self, name: str, code: Any) -> int | None:
        """Number of lines suppressed before this one, or None if this one is suppressed."""
        second = int(time.monotonic())
        if second != self._second:
            self._second = second
            self._written.clear()
        key = (name, code)
        written = self._written.get(key, 0)
        if written >= LINES_PER_SECOND:
            self._suppressed[key] = self._suppressed.get(key, 0) + 1
            return None
        self._written[key] = written + 1
        return self._suppressed.pop(key, 0)


def _details(context: Any) -> tuple[str, str, str]:
    """Code of the error, its field and the id of the request of a call that has failed."""
    sent = dict(context.trailing_metadata() or ())
    info = ErrorInfo()
    for detail in Status.FromString(sent.get(_DETAILS, b"")).details:
        if detail.Unpack(info):
            break
    return (
        info.reason.lower(),
        info.metadata.get("field", ""),
        sent.get(REQUEST_ID) or request_id(context),
    )
