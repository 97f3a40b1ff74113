"""Calls that the clients hold back while the service refuses calls as overloaded."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
import pytest
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st

from recsys_client import (
    AsyncRecsysClient,
    InvalidRequestError,
    OverloadedError,
    RecsysClient,
    ServiceError,
    UnknownIdError,
)
from recsys_client.throttle import HOLD_SECONDS, MAX_CREDIT, MAX_RETRY, MIN_RETRY, Throttle
from recsys_server.statuses import to_status
from tests.server.service_world import WAIT

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.just(0.0)),
        st.tuples(st.just("answered"), st.just(0.0)),
        st.tuples(st.just("late"), st.just(0.0)),
        st.tuples(st.just("gone"), st.just(0.0)),
        st.tuples(st.just("refused"), st.floats(0, 5)),
        st.tuples(st.just("pass"), st.floats(0, 1)),
    ),
    max_size=60,
)


class Clock:
    """Time that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def refusal(seconds: float = 0.1) -> OverloadedError:
    return OverloadedError("1,000 calls wait", retry_after=seconds)


@given(STEPS, st.floats(1, 3))
def test_sent_calls_follow_answers_and_refusals(
    steps: list[tuple[str, float]], share: float
) -> None:
    clock = Clock()
    throttle = Throttle(share, clock=clock)
    last, sent, allowed = -math.inf, 0, 0.0
    for kind, value in steps:
        if kind == "pass":
            clock.now += value
        elif kind == "answered":
            throttle.answered()
            allowed += share
        elif kind == "late":
            throttle.late()
            last = clock.now if clock.now < last + HOLD_SECONDS else last
        elif kind == "gone":
            throttle.failed(ServiceError("no service answered"))
        elif kind == "refused":
            if clock.now >= last + HOLD_SECONDS:  # an overload begins
                sent, allowed, began = 0, 0.0, clock.now
            throttle.failed(refusal(value))
            last = clock.now
        else:
            wait = throttle.wait()
            if clock.now >= last + HOLD_SECONDS:
                assert wait is None
            elif wait is None:
                sent += 1
                assert sent <= allowed + (clock.now - began) / MIN_RETRY + 1e-6
            else:
                assert 0 < wait <= MAX_RETRY + 1e-9
                clock.now += wait + 1e-9
                assert throttle.wait() is None
                sent += 1


def test_a_burst_after_many_answers_is_bounded() -> None:
    throttle = Throttle(clock=lambda: 0.0)
    throttle.failed(refusal())
    for _ in range(1_000):
        throttle.answered()
    assert sum(throttle.wait() is None for _ in range(100)) == MAX_CREDIT


def test_an_error_of_the_request_is_an_answer() -> None:
    throttle = Throttle(clock=lambda: 0.0)
    throttle.failed(refusal())
    assert throttle.wait() is not None
    throttle.failed(UnknownIdError("no such user"))
    assert throttle.wait() is None


class Service:
    """A simulated service: it answers ``rate`` calls per second and lets ``most`` of them wait."""

    def __init__(self, clock: Clock, rate: float, most: int) -> None:
        self.clock, self.rate, self.most = clock, rate, most
        self.ends: deque[tuple[float, Throttle]] = deque()
        self.answered = self.refused = 0

    def call(self, throttle: Throttle) -> None:
        if len(self.ends) >= self.most:
            self.refused += 1
            throttle.failed(refusal(len(self.ends) / self.rate))
            return
        begun = max(self.clock.now, self.ends[-1][0] if self.ends else 0.0)
        self.ends.append((begun + 1 / self.rate, throttle))

    def answer(self) -> None:
        while self.ends and self.ends[0][0] <= self.clock.now:
            self.ends.popleft()[1].answered()
            self.answered += 1


@pytest.mark.parametrize(("clients", "most_refused"), [(1, 0.12), (20, 0.3), (500, 2.0)])
def test_an_overload_costs_few_refusals_and_ends_within_a_second(
    clients: int, most_refused: float
) -> None:
    clock = Clock()
    service = Service(clock, rate=500, most=100)
    throttles = [Throttle(clock=clock) for _ in range(clients)]

    def offer(rate: float, seconds: float) -> int:
        held = 0
        for number in range(int(rate * seconds)):
            clock.now += 1 / rate
            service.answer()
            throttle = throttles[number % clients]
            if throttle.wait() is None:
                service.call(throttle)
            else:
                held += 1
        return held

    offer(2_500, 1)
    service.answered = service.refused = 0
    offer(2_500, 4)
    assert service.answered >= 0.99 * 500 * 4
    assert service.refused <= most_refused * service.answered
    refused = service.refused
    offer(250, 1)
    assert offer(250, 1) == 0
    assert service.refused - refused <= 0.1 * 250


class Refusing(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Refuses every call as overloaded, and counts them."""

    def __init__(self) -> None:
        self.calls = 0

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        def answer(raw: bytes, context: Any) -> NoReturn:
            self.calls += 1
            status: Any = rpc_status.to_status(to_status(refusal(0.5)))
            context.abort_with_status(status)
            raise AssertionError("abort raises")

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def refusing() -> Iterator[tuple[Refusing, str]]:
    handler, server = Refusing(), grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield handler, f"127.0.0.1:{port}"
    server.stop(0).wait()


def test_a_client_holds_calls_of_the_refused_method_back(refusing: tuple[Refusing, str]) -> None:
    handler, address = refusing
    with RecsysClient(address, timeout=WAIT) as client:
        with pytest.raises(OverloadedError, match="1,000 calls wait"):
            client.retrieve(user_id="ann", k=1)
        with pytest.raises(OverloadedError, match="was not sent; retry in") as raised:
            client.with_timeout(1).retrieve(user_id="ann", k=1)
        assert 0 < raised.value.retry_after <= 0.5
        assert handler.calls == 1
        with pytest.raises(OverloadedError, match="1,000 calls wait"):
            client.describe()


def test_the_asynchronous_client_does_the_same(refusing: tuple[Refusing, str]) -> None:
    handler, address = refusing

    async def messages(throttle: float | None) -> list[str]:
        found = []
        async with AsyncRecsysClient(address, timeout=WAIT, throttle=throttle) as client:
            for _ in range(2):
                with pytest.raises(OverloadedError) as raised:
                    await client.retrieve(user_id="ann", k=1)
                found.append(raised.value.message)
        return found

    assert "not sent" in asyncio.run(messages(1.1))[1] and handler.calls == 1
    assert asyncio.run(messages(None)) == ["1,000 calls wait"] * 2 and handler.calls == 3


@pytest.mark.parametrize("throttle", [0.5, math.nan])
def test_a_throttle_below_one_call_per_answer_is_refused(throttle: float) -> None:
    with pytest.raises(InvalidRequestError, match="1 or more calls"):
        RecsysClient("127.0.0.1:1", throttle=throttle)
