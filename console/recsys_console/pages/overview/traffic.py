"""The figures of a service per minute, joined to as many points as a plot has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys_client.records import MinuteFigures

POINTS = 60
"""Largest number of points of a plot."""


@dataclass(frozen=True)
class Traffic:
    """The traffic of a service, one value per point; a point joins one or more minutes.

    Attributes:
        begins_at: Time at which each point begins, in seconds since 1970.
        interactions: Number of recorded interactions per minute.
        answered: Number of calls per minute that were answered.
        failed: Number of calls per minute that failed.
        refused: Number of calls per minute that the queue or a rate refused.
        latency_p50: Median latency in seconds, weighted by calls; None without an answered call.
        latency_p99: Largest of the minutes' 99th percentiles in seconds.

    Example:
        >>> traffic_of([MinuteFigures(60, 60.0, calls=6, refused=2)], 2).answered
        (0.0, 4.0)
    """

    begins_at: tuple[int, ...] = ()
    interactions: tuple[float, ...] = ()
    answered: tuple[float, ...] = ()
    failed: tuple[float, ...] = ()
    refused: tuple[float, ...] = ()
    latency_p50: tuple[float | None, ...] = ()
    latency_p99: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class TrafficTotals:
    """The traffic of the whole range in figures.

    Attributes:
        interactions_per_hour: Number of recorded interactions per hour.
        calls_per_second: Number of calls per second.
        failed_share: Share of the calls that failed or were refused; None without calls.
        latency_p50: Median latency of the last minute with calls, in seconds, or None.
        latency_p99: Its 99th percentile, or None.
    """

    interactions_per_hour: float = 0.0
    calls_per_second: float = 0.0
    failed_share: float | None = None
    latency_p50: float | None = None
    latency_p99: float | None = None


def traffic_of(minutes: Sequence[MinuteFigures], shown: int) -> Traffic:
    """The traffic of consecutive minutes, of which the last ``shown`` are shown.

    Minutes before the start of the service are without traffic.
    """
    missing = shown - len(minutes)
    first = minutes[0].begins_at if minutes else 0
    before = [MinuteFigures(first - 60 * each, 0.0) for each in range(missing, 0, -1)]
    size = -(-shown // POINTS)
    every = [*(before if minutes else ()), *minutes][-shown:]
    groups = [every[at : at + size] for at in range(0, len(every), size)]
    return Traffic(
        tuple(each[0].begins_at for each in groups),
        tuple(_per_minute(each, [one.interactions for one in each]) for each in groups),
        tuple(_per_minute(each, [one.calls - _failed(one) for one in each]) for each in groups),
        tuple(_per_minute(each, [_failed(one) - one.refused for one in each]) for each in groups),
        tuple(_per_minute(each, [one.refused for one in each]) for each in groups),
        tuple(_median(each) for each in groups),
        tuple(max((one.latency_p99 for one in each), default=0) or None for each in groups),
    )


def totals_of(minutes: Sequence[MinuteFigures]) -> TrafficTotals:
    """The figures of consecutive minutes."""
    seconds = sum(each.seconds for each in minutes)
    calls = sum(each.calls for each in minutes)
    if not seconds:
        return TrafficTotals()
    answered = [each for each in minutes if each.latency_p99]
    return TrafficTotals(
        3600 * sum(each.interactions for each in minutes) / seconds,
        calls / seconds,
        sum(map(_failed, minutes)) / calls if calls else None,
        answered[-1].latency_p50 if answered else None,
        answered[-1].latency_p99 if answered else None,
    )


def _failed(minute: MinuteFigures) -> int:
    """Number of calls that failed; those that were refused count."""
    return min(max(sum(minute.errors.values()), minute.refused), minute.calls)


def _per_minute(minutes: Sequence[MinuteFigures], counts: Sequence[int]) -> float:
    seconds = sum(each.seconds for each in minutes)
    return 60 * sum(counts) / seconds if seconds else 0.0


def _median(minutes: Sequence[MinuteFigures]) -> float | None:
    weights = [each.calls if each.latency_p50 else 0 for each in minutes]
    if not sum(weights):
        return None
    parts = (each.latency_p50 * weight for each, weight in zip(minutes, weights, strict=True))
    return sum(parts) / sum(weights)
