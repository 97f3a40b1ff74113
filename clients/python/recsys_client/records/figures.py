"""Figures of a service per minute, and its slow requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class MethodFigures:
    """Figures of one method in one minute.

    Attributes:
        method: Name of the method, such as "Retrieve".
        calls: Number of calls that have ended.
        errors: Number of calls that have failed, by status.
        latency_p50: Median time from a call to its response in seconds; 0 without an answered call.
        latency_p99: Time in seconds within which 99% of the calls were answered.

    Example:
        >>> MethodFigures("Retrieve", calls=10, errors={"NOT_FOUND": 1}).latency_p99
        0.0
    """

    method: str
    calls: int
    errors: Mapping[str, int] = field(default_factory=dict, hash=False)
    latency_p50: float = 0.0
    latency_p99: float = 0.0


@dataclass(frozen=True)
class MinuteFigures:
    """Figures of one minute, over all workers and methods.

    Attributes:
        begins_at: Time at which it begins, in seconds since 1970.
        seconds: Seconds of it that the figures cover: 60 but for the first and the last minute.
        calls: Number of calls that have ended.
        errors: Number of calls that have failed, by status, such as "NOT_FOUND".
        refused: Number of calls that the queue or the rate of a token has refused at once.
        latency_p50: Median time from a call to its response in seconds; 0 without an answered call.
        latency_p99: Time in seconds within which 99% of the calls were answered.
        interactions: Number of interactions that were recorded.
        methods: Figures of the methods that were called, by name.

    Example:
        >>> MinuteFigures(1704067200, 60.0, calls=30).interactions
        0
    """

    begins_at: int
    seconds: float
    calls: int = 0
    errors: Mapping[str, int] = field(default_factory=dict, hash=False)
    refused: int = 0
    latency_p50: float = 0.0
    latency_p99: float = 0.0
    interactions: int = 0
    methods: tuple[MethodFigures, ...] = ()


@dataclass(frozen=True)
class SlowRequest:
    """A slow request, as the log of the service states it.

    Attributes:
        ended_at: Time at which it ended, in seconds since 1970.
        method: Name of its method.
        status: Status with which it ended, such as "OK".
        seconds: Seconds from the call to its end.
        caller: Name of the token of the caller; "" without tokens.
        request_id: Id of the request.
        worker: Number of the worker.

    Example:
        >>> SlowRequest(1704067200, "Retrieve", "OK", 0.7).caller
        ''
    """

    ended_at: int
    method: str
    status: str
    seconds: float
    caller: str = ""
    request_id: str = ""
    worker: int = 0


@dataclass(frozen=True)
class SlowRequests:
    """The last slow requests of a service.

    Attributes:
        threshold: Seconds from which a request is listed.
        requests: Requests, the latest first.

    Example:
        >>> SlowRequests(0.5).requests
        ()
    """

    threshold: float
    requests: tuple[SlowRequest, ...] = ()
