"""The load generator: calls with bytes, so that it takes as little time as it can."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import grpc
import numpy as np

from recsys_client.connection import count_failure
from recsys_client.statuses import from_rpc_error
from recsys_client.throttle import Throttle

RETRIEVE = "/recsys.v1.RetrievalService/Retrieve"
BATCH = "/recsys.v1.RetrievalService/BatchRetrieve"
RECORD = "/recsys.v1.InteractionService/RecordInteractions"
UPSERT = "/recsys.v1.CatalogService/UpsertItems"
DELETE = "/recsys.v1.CatalogService/DeleteItems"
CHANNELS = 4
THROTTLED = "THROTTLED"
"""Name under which calls that a throttle held back are counted as failed."""
Throttles = Sequence[Throttle]


@dataclass
class Load:
    """The outcome of a load.

    Attributes:
        seconds: Duration, until the last call was sent.
        latencies: Seconds of each answered call.
        failed: Number of failed calls per status, and of those that were not sent.
        later: Number of calls that were answered after the duration.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    later: int = 0

    def fail(self, name: str) -> None:
        """Count a failed call."""
        self.failed[name] = self.failed.get(name, 0) + 1

    @property
    def offered(self) -> int:
        """Number of calls, sent or not."""
        return len(self.latencies) + sum(self.failed.values())

    @property
    def rate(self) -> float:
        """Answered calls per second of the duration."""
        return (len(self.latencies) - self.later) / self.seconds

    def share_within(self, seconds: float) -> float:
        """Share of the answered calls that took at most these seconds."""
        return float(np.mean(np.array(self.latencies) <= seconds)) if self.latencies else 0.0

    def percentile(self, share: float) -> float:
        """Latency that this share of the answered calls does not exceed, in seconds."""
        return float(np.quantile(self.latencies, share)) if self.latencies else float("inf")


def closed(
    address: str,
    raws: Iterator[bytes],
    *,
    in_flight: int,
    seconds: float,
    method: str = RETRIEVE,
    channels: int = CHANNELS,
) -> Load:
    """As many calls as are answered with ``in_flight`` at a time."""

    async def run() -> Load:
        load, calls = Load(), _calls(address, method, channels)
        began = time.perf_counter()

        async def caller(number: int) -> None:
            call = calls[number % len(calls)]
            while time.perf_counter() - began < seconds:
                await _call(call, next(raws), 30.0, load)

        await asyncio.gather(*(caller(number) for number in range(in_flight)))
        load.seconds = time.perf_counter() - began
        return load

    return asyncio.run(run())


def offered(
    address: str,
    raws: Iterator[bytes],
    *,
    rate: float,
    seconds: float,
    deadline: float,
    throttles: Throttles = (),
) -> Load:
    """Calls at a rate, whether earlier ones are answered or not."""
    (load,) = together(address, [Offer(RETRIEVE, raws, rate, deadline, throttles)], seconds=seconds)
    return load


@dataclass(frozen=True)
class Offer:
    """Calls at a rate.

    Attributes:
        method: Their method.
        raws: Their messages.
        rate: Number per second.
        deadline: Seconds until the caller gives up.
        throttles: The throttle of each connection, as of the Python client; none sends all calls.
    """

    method: str
    raws: Iterator[bytes]
    rate: float
    deadline: float = 5.0
    throttles: Throttles = ()


def together(address: str, offers: Sequence[Offer], *, seconds: float) -> list[Load]:
    """Several kinds of calls at the same time, each at its rate; the load of each."""

    async def run() -> list[Load]:
        return list(await asyncio.gather(*(_offer(address, each, seconds) for each in offers)))

    return asyncio.run(run())


async def _offer(address: str, offer: Offer, seconds: float) -> Load:
    load, calls = Load(), _calls(address, offer.method)
    throttles: Sequence[Throttle | None] = offer.throttles or [None] * CHANNELS
    tasks: set[asyncio.Task[None]] = set()
    began, sent = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        for _ in range(int(now * offer.rate) - sent):
            call, throttle = calls[sent % CHANNELS], throttles[sent % CHANNELS]
            sent += 1
            if throttle is not None and throttle.wait() is not None:
                load.fail(THROTTLED)
                continue
            task = asyncio.create_task(
                _call(call, next(offer.raws), offer.deadline, load, throttle)
            )
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(0.001)
    load.seconds, answered = time.perf_counter() - began, len(load.latencies)
    await asyncio.gather(*tasks)
    load.later = len(load.latencies) - answered
    return load


def _calls(
    address: str, method: str, channels: int = CHANNELS
) -> list[grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]]:
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", -1),
    ]
    opened = [grpc.aio.insecure_channel(address, options=options) for _ in range(channels)]
    return [channel.unary_unary(method, None, None) for channel in opened]


async def _call(
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes],
    raw: bytes,
    deadline: float,
    load: Load,
    throttle: Throttle | None = None,
) -> None:
    began = time.perf_counter()
    try:
        await call(raw, timeout=deadline)
    except grpc.aio.AioRpcError as error:
        load.fail(error.code().name)
        if throttle is not None:
            count_failure(throttle, error, from_rpc_error(error, ""))
    else:
        load.latencies.append(time.perf_counter() - began)
        if throttle is not None:
            throttle.answered()
