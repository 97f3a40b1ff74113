"""Ctrl-C while a command reports its progress."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest

from recsys.screen import Screen


class _InterruptedWhenDeleted:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_that_a_finalizer_drops_is_raised_by_the_next_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dropped: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)
    with Screen() as screen:
        screen("train", 1, 3)
        _InterruptedWhenDeleted()
        assert len(dropped) == 1
        with pytest.raises(KeyboardInterrupt):
            screen("train", 2, 3)
        with pytest.raises(KeyboardInterrupt):
            screen.starting("evaluate", "requested")
        with pytest.raises(KeyboardInterrupt):
            screen.check_interrupted()


def test_an_interrupt_is_raised_at_once_and_the_handler_is_restored() -> None:
    with pytest.raises(KeyboardInterrupt), Screen():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_caller_stays() -> None:
    received: list[int] = []

    def handler(number: int, _: object) -> None:
        received.append(number)

    signal.signal(signal.SIGINT, handler)
    with Screen() as screen:
        signal.raise_signal(signal.SIGINT)
        screen("train", 1, 3)
    assert received == [signal.SIGINT] and signal.getsignal(signal.SIGINT) is handler
