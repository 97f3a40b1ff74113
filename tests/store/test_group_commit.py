"""Writes of several threads in one transaction, and what an interrupted thread leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from recsys.errors import StoreError
from recsys.store import Receipt, UserDeleted
from recsys.store.group_commit import MAX_BYTES, MAX_ROWS, GroupCommit, PendingWrite
from recsys.store.rows import Row, to_row


def _pending(rows: int = 1, picture: int = 0) -> PendingWrite:
    row: Row = {**to_row(UserDeleted("ann")), "picture": bytes(picture)}
    return PendingWrite([row] * rows, None, b"")


@dataclass
class _Commits:
    """Commits that wait until they may end; ``fault`` is raised by the next one."""

    groups: list[int] = field(default_factory=list)
    may_end: threading.Event = field(default_factory=threading.Event)
    fault: BaseException | None = None

    def __call__(self, group: list[PendingWrite]) -> list[Receipt | Exception]:
        self.groups.append(len(group))
        assert self.may_end.wait(60)
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        return [Receipt(len(self.groups), repeated=False) for _ in group]


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _write_all(commits: _Commits, writes: list[PendingWrite]) -> list[object]:
    """Results of writes by a thread each, of which the first is held while the others arrive."""
    group, results = GroupCommit(commits), dict[int, object]()

    def write(number: int) -> None:
        try:
            results[number] = group.write(writes[number])
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(writes))]
    for number, thread in enumerate(threads):
        thread.start()
        _until(lambda last=number: len(commits.groups) == 1 and len(group._waiting) == last)
    commits.may_end.set()
    for thread in threads:
        thread.join(60)
    assert not group._waiting and not group._is_led
    return [results[number] for number in range(len(writes))]


def test_writes_that_arrive_during_a_commit_share_the_next_one() -> None:
    commits = _Commits()
    results = _write_all(commits, [_pending() for _ in range(5)])
    assert commits.groups == [1, 4]
    assert results == [Receipt(1, repeated=False), *[Receipt(2, repeated=False)] * 4]


@pytest.mark.parametrize("large", [_pending(rows=MAX_ROWS), _pending(picture=MAX_BYTES)])
def test_a_group_has_a_size(large: PendingWrite) -> None:
    commits = _Commits()
    _write_all(commits, [_pending(), large, _pending(), _pending()])
    assert commits.groups == [1, 1, 2]


def test_a_fault_is_that_of_every_write_of_the_group() -> None:
    commits = _Commits(fault=StoreError("the disk is full"))
    results = _write_all(commits, [_pending() for _ in range(3)])
    assert isinstance(results[0], StoreError) and results[1:] == [Receipt(2, repeated=False)] * 2
    commits = _Commits(fault=MemoryError("too much"))
    (result,) = _write_all(commits, [_pending()])
    assert str(result) == "nothing was acknowledged: MemoryError: too much"


def test_writes_of_one_thread_share_transactions_and_keep_their_order() -> None:
    commits = _Commits()
    commits.may_end.set()
    group = GroupCommit(commits)
    writes = [_pending(), _pending(rows=MAX_ROWS), _pending(), _pending()]
    results = group.write_each(writes)
    assert commits.groups == [2, 2]
    assert [each.watermark for each in results if isinstance(each, Receipt)] == [1, 1, 2, 2]
    commits.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        group.write_each([_pending(rows=MAX_ROWS), _pending(), _pending()])
    assert commits.groups == [2, 2, 1] and not group._waiting and not group._is_led


def test_an_interrupted_leader_leaves_no_thread_waiting() -> None:
    commits = _Commits(fault=KeyboardInterrupt())
    results = _write_all(commits, [_pending() for _ in range(3)])
    assert isinstance(results[0], KeyboardInterrupt)
    assert results[1:] == [Receipt(2, repeated=False)] * 2
