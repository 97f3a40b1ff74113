"""The queue of impressions: bounded, written in batches, tried again, and never in the way."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from recsys.errors import StoreError
from recsys.store import Impression, ImpressionQueue
from recsys.store.impressions import queue as module
from tests.contracts.store_impressions_contract import shown

WAIT = 200


class Writer:
    """A store whose writes wait at a gate, and fail as often as wanted."""

    def __init__(self, failures: int = 0) -> None:
        self.batches: list[list[str]] = []
        self.gate, self.entered = threading.Event(), threading.Event()
        self.failures = failures

    def __call__(self, batch: Sequence[Impression]) -> None:
        self.entered.set()
        assert self.gate.wait(WAIT)
        self.failures -= 1
        if self.failures >= 0:
            raise StoreError("the disk is full")
        self.batches.append([each.request_id for each in batch])


def test_a_full_queue_refuses_and_waits_for_nothing() -> None:
    writer = Writer()
    queue = ImpressionQueue(writer, capacity=3, gather=0)
    assert queue.add(shown(0))
    assert writer.entered.wait(WAIT)  # it is being written, and counts
    assert [queue.add(shown(number)) for number in (1, 2, 3, 4)] == [True, True, False, False]
    assert not queue.flush(0.0)
    writer.gate.set()
    assert queue.flush(WAIT)
    assert writer.batches == [["r000"], ["r001", "r002"]]
    assert (queue.written, queue.refused, queue.failed, len(queue)) == (3, 2, 0, 0)
    assert queue.add(shown(5)) and queue.close(WAIT) and not queue.add(shown(6))
    assert queue.written == 4


def test_the_bytes_that_wait_are_bounded() -> None:
    writer = Writer()
    queue = ImpressionQueue(writer, size=2 * shown(0).size, gather=WAIT)
    assert [queue.add(shown(number)) for number in range(3)] == [True, True, False]
    writer.gate.set()
    assert queue.close(WAIT) and writer.batches == [["r000", "r001"]]


def test_refused_impressions_are_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.001, 0.001))
    writer = Writer(failures=3)
    writer.gate.set()
    queue = ImpressionQueue(writer, gather=0)
    assert queue.add(shown(0)) and queue.flush(WAIT)
    assert writer.batches == [["r000"]] and queue.failed == 3
    assert queue.close(WAIT)
