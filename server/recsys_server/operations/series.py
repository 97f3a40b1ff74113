"""Figures of a service per minute: differences of its counters, of the last hours."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from recsys_server.metrics.definitions import METRICS

Labels = tuple[str, ...]

MINUTES, RECENT = 360, 5
"""Number of minutes whose figures are kept, and of those whose counts are."""
COUNTERS = ("recsys_calls", "recsys_calls_shed", "recsys_interactions_recorded")
HISTOGRAMS = ("recsys_call_seconds", "recsys_queue_wait_seconds")
_BOUNDS = METRICS["recsys_call_seconds"].buckets


@dataclass(frozen=True, eq=False)
class Minute:
    """Counts of one minute.

    Attributes:
        begins_at: Time at which it begins, in seconds since 1970.
        seconds: Seconds that it covers.
        numbers: Counts by metric and labels; those that are 0 are left out.
        histograms: Counts per bucket, by metric and labels.
    """

    begins_at: int
    seconds: float
    numbers: dict[tuple[str, Labels], float]
    histograms: dict[tuple[str, Labels], tuple[int, ...]]


class MinuteSeries:
    """The minutes of a service, from counters that only grow.

    Args:
        now: Time of the start, in seconds since 1970.
        most: Number of minutes whose figures are kept.

    Example:
        >>> series = MinuteSeries(now=90.0)
        >>> total = {"numbers": [["recsys_calls", ["Retrieve", "OK"], 7.0]], "histograms": []}
        >>> series.observe(total, now=125.0)
        >>> [(each["begins_at"], each["calls"]) for each in series.figures(total, 130.0, most=60)]
        [(90, 7), (125, 0)]
    """

    def __init__(self, now: float, *, most: int = MINUTES) -> None:
        self._began = now
        self._base = Minute(0, 0.0, {}, {})
        self._ended: deque[Minute] = deque(maxlen=RECENT)
        self._figures: deque[dict[str, Any]] = deque(maxlen=most - 1)

    def is_due(self, now: float) -> bool:
        """Whether a minute has ended since the last :meth:`observe`."""
        return now // 60 > self._began // 60

    def observe(self, total: dict[str, Any], now: float) -> None:
        """Take the counters; they close the minute if it has ended."""
        if self.is_due(now):
            counts = _counts(total)
            minute = self._since_base(counts, now)
            self._ended.append(minute)
            self._figures.append(figures_of(minute))
            self._base, self._began = counts, now

    def recent(self, total: dict[str, Any], now: float) -> Minute:
        """Counts of the last ``RECENT`` minutes and the running one, added up."""
        return added([*self._ended, self._since_base(_counts(total), now)])

    def figures(self, total: dict[str, Any], now: float, most: int) -> list[dict[str, Any]]:
        """Figures of the last minutes, oldest first; the last one has not ended."""
        running = figures_of(self._since_base(_counts(total), now))
        return [*self._figures, running][-most:]

    def _since_base(self, counts: Minute, now: float) -> Minute:
        base = self._base
        numbers = {key: value - base.numbers.get(key, 0) for key, value in counts.numbers.items()}
        histograms = {
            key: _less(values, base.histograms.get(key))
            for key, values in counts.histograms.items()
        }
        return Minute(
            int(self._began),
            max(0.0, round(now - self._began, 3)),
            {key: value for key, value in numbers.items() if value > 0},
            {key: values for key, values in histograms.items() if any(values)},
        )


def added(minutes: Iterable[Minute]) -> Minute:
    """Counts of several minutes, added up."""
    begins_at, seconds = 0, 0.0
    numbers: dict[tuple[str, Labels], float] = {}
    histograms: dict[tuple[str, Labels], tuple[int, ...]] = {}
    for each in minutes:
        begins_at = begins_at or each.begins_at
        seconds += each.seconds
        for key, value in each.numbers.items():
            numbers[key] = numbers.get(key, 0) + value
        for key, counts in each.histograms.items():
            known = histograms.get(key)
            histograms[key] = counts if known is None else _sum(known, counts)
    return Minute(begins_at, seconds, numbers, histograms)


def figures_of(minute: Minute) -> dict[str, Any]:
    """Figures of a minute, as the fields of the message ``MinuteFigures``."""
    calls: dict[str, dict[str, int]] = defaultdict(dict)
    for (name, labels), value in minute.numbers.items():
        if name == "recsys_calls":
            calls[labels[0]][labels[1]] = int(value)
    times = {
        labels[0]: counts
        for (name, labels), counts in minute.histograms.items()
        if name == "recsys_call_seconds"
    }
    methods = [
        {"method": method, **_figures(statuses.items(), times.get(method, ()))}
        for method, statuses in sorted(calls.items())
    ]
    every = [each for statuses in calls.values() for each in statuses.items()]
    return {
        "begins_at": minute.begins_at,
        "seconds": minute.seconds,
        **_figures(every, summed(times.values())),
        "refused": int(_number(minute, "recsys_calls_shed")),
        "interactions": int(_number(minute, "recsys_interactions_recorded")),
        "methods": methods,
    }


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float:
    """Value below which a share of the counted values lies, as Prometheus estimates it.

    It is interpolated within its bucket; values above the last bound count as this bound. 0 without
    values.

    Example:
        >>> quantile((1.0, 2.0, 4.0), (1, 2, 1, 0), share=0.5)
        1.5
    """
    wanted, below = share * sum(counts), 0
    for at, count in enumerate(counts[: len(bounds)]):
        if count and below + count >= wanted:
            low = bounds[at - 1] if at else 0.0
            return low + (bounds[at] - low) * (wanted - below) / count
        below += count
    return bounds[-1] if sum(counts) else 0.0


def summed(counts: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Sum of counts per bucket, () without any."""
    return tuple(map(sum, zip(*counts)))


def _figures(calls: Iterable[tuple[str, int]], times: Sequence[int]) -> dict[str, Any]:
    """Figures of calls with their statuses, and of counts of their times."""
    statuses: dict[str, int] = defaultdict(int)
    for status, count in calls:
        statuses[status] += count
    return {
        "calls": sum(statuses.values()),
        "errors": {status: count for status, count in statuses.items() if status != "OK"},
        "latency_p50_seconds": round(quantile(_BOUNDS, times, 0.5), 6),
        "latency_p99_seconds": round(quantile(_BOUNDS, times, 0.99), 6),
    }


def _number(minute: Minute, name: str) -> float:
    return sum(value for (found, _), value in minute.numbers.items() if found == name)


def _counts(total: dict[str, Any]) -> Minute:
    """The counters of a total that are kept."""
    numbers = {
        (name, tuple(labels)): value for name, labels, value in total["numbers"] if name in COUNTERS
    }
    histograms = {
        (name, tuple(labels)): tuple(counts)
        for name, labels, counts, _ in total["histograms"]
        if name in HISTOGRAMS
    }
    return Minute(0, 0.0, numbers, histograms)


def _sum(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(int.__add__, one, other))


def _less(counts: Sequence[int], base: Sequence[int] | None) -> tuple[int, ...]:
    if base is None:
        return tuple(counts)
    return tuple(max(0, now - before) for now, before in zip(counts, base))
