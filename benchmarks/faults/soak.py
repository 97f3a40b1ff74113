"""A soak: traffic of every kind for long, while the bundle is replaced at regular intervals."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.faults.processes import Resources, resources
from benchmarks.faults.traffic import Traffic, p99
from benchmarks.faults.world import RunningService, prepare_bundles, running_service, versions
from recsys_client import RecsysClient

RATE = 20.0
"""Reads per second."""
SAMPLE_SECONDS = 2.0
"""Seconds between two samples of the memory."""


@dataclass
class Minute:
    """Measurements between two changes of the bundle.

    Attributes:
        samples: Resources of all processes of the service.
        p99_ms: 99th percentile of the reads in milliseconds.
    """

    samples: list[Resources] = field(default_factory=list)
    p99_ms: float = 0.0

    @property
    def memory_mb(self) -> float:
        """Median of the memory."""
        return median(each.memory_mb for each in self.samples)


def soak(work: Path, *, minutes: float, reload_seconds: float) -> dict[str, float]:
    """Run the soak.

    Args:
        work: Folder of the bundles; see ``prepare_bundles``.
        minutes: Length.
        reload_seconds: Seconds between two changes of the bundle.

    Returns:
        Calls, failures, and growth: the median of the last sixth of the time minus that of the
        second sixth. The first sixth warms up: caches fill, and allocators reach their size.
    """
    bundles = prepare_bundles(work)
    seen: list[Minute] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(bundles, Path(folder)) as service,
        RecsysClient(service.address, timeout=120) as admin,
    ):
        traffic = Traffic(service.address)
        names, ends = versions(bundles), time.monotonic() + 60 * minutes
        with traffic.running(RATE):
            while time.monotonic() < ends:
                admin.activate_bundle(names[len(seen) % 2])
                seen.append(_watch(service, traffic, reload_seconds))
                print(_line(len(seen), seen[-1], traffic), flush=True)
    sixth = max(1, len(seen) // 6)
    first, last = seen[sixth : 2 * sixth] or seen[:1], seen[-sixth:]
    return {
        "soak_minutes": minutes,
        "soak_reloads": len(seen),
        "soak_calls": traffic.calls,
        "soak_failed": sum(traffic.failed.values()),
        "soak_first_mb": _memory(first),
        "soak_last_mb": _memory(last),
        "soak_growth_mb": _memory(last) - _memory(first),
        "soak_descriptors_growth": _descriptors(last) - _descriptors(first),
        "soak_first_p99_ms": median(each.p99_ms for each in first),
        "soak_last_p99_ms": median(each.p99_ms for each in last),
    }


def _watch(service: RunningService, traffic: Traffic, seconds: float) -> Minute:
    minute, ends = Minute(), time.monotonic() + seconds
    while True:
        time.sleep(min(SAMPLE_SECONDS, seconds))
        minute.samples.append(resources(service.process))
        if time.monotonic() >= ends:
            minute.p99_ms = p99(traffic.take_latencies())
            return minute


def _memory(minutes: Sequence[Minute]) -> float:
    return round(median(each.memory_mb for each in minutes), 1)


def _descriptors(minutes: Sequence[Minute]) -> int:
    return int(median(each.samples[-1].descriptors for each in minutes))


def _line(number: int, minute: Minute, traffic: Traffic) -> str:
    last = minute.samples[-1]
    return (
        f"{number}: {minute.memory_mb:,.0f} MB, {last.descriptors} descriptors, {last.threads} "
        f"threads, p99 {minute.p99_ms:.0f} ms, {traffic.calls:,} calls, failed "
        f"{dict(traffic.failed)}"
    )
