"""Writers that are killed: acknowledged writes are there once, in the store and in copies of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.faults.store import Faults, run_round, written_keys
from recsys.store import InteractionRecorded, open_store, verify


def _check(url: str, *, processes: int) -> Faults:
    faults = Faults()
    run_round(url, random.Random(3), faults, processes=processes, threads=2)
    assert (faults.lost, faults.doubled, faults.faults) == (0, 0, [])
    assert faults.kills == processes and faults.acknowledged > 0
    return faults


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_writers_of_sqlite_are_killed(tmp_path: Path) -> None:
    assert _check(str(tmp_path / "store.db"), processes=2).copies == 1


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_writers_of_postgresql_are_killed(
    postgresql_url: str,
) -> None:
    _check(postgresql_url, processes=1)


def test_a_torn_log_leaves_the_writes_before(tmp_path: Path) -> None:
    path, log = tmp_path / "store.db", tmp_path / "store.db-wal"
    with open_store(path) as store:
        for number in range(12):
            store.append([InteractionRecorded("ann", f"{number}", number)])
        content, whole = log.read_bytes(), path.read_bytes()
    rng, found = random.Random(1), set()
    for number in range(8):
        cut = rng.randrange(len(content))
        torn = rng.randbytes(len(content) - cut) if number % 2 else b""
        copy = tmp_path / f"copy{number}.db"
        copy.write_bytes(whole)
        copy.with_name(f"{copy.name}-wal").write_bytes(content[:cut] + torn)
        with open_store(copy) as store:
            keys = written_keys(store)
            assert verify(store).faults == ()
            assert sorted(map(int, keys)) == list(range(len(keys)))
            found.add(len(keys))
            store.append([InteractionRecorded("ann", "later", 99)])
    assert len(found) > 2
