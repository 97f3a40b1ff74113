"""Figures of an audit: the recall over a sliding window, its interval, and drift below a target."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

SearchKind = Literal["plain", "excluded", "filtered", "delta"]
"""Kind of a search. A filtered one may have excluded rows as well. Searches of an index with
changed rows count as "delta" in addition."""
_Z = 1.959964
"""Quantile of the normal distribution for an interval of 95%."""


@dataclass(frozen=True)
class WindowFigure:
    """Recall of one kind of search on one index, over the newest samples.

    Attributes:
        label: Name of the index, such as the name of its space.
        kind: Kind of search.
        compared: Number of samples since the start.
        samples: Number of samples in the window.
        recall: Mean share of the exact answer found, in the window.
        low: Lower end of the 95% interval of ``recall``.
        high: Upper end of the 95% interval of ``recall``.
        worst: Lowest share of a single query in the window.
        target: Recall that the index was tuned to, or None without one.
        drifting: Whether ``recall`` is below the target by more than the tolerance.
    """

    label: str
    kind: SearchKind
    compared: int
    samples: int
    recall: float
    low: float
    high: float
    worst: float
    target: float | None
    drifting: bool


@dataclass(frozen=True)
class Drift:
    """Report that the recall fell below its target.

    Attributes:
        figure: Figure that fell.
        tolerance: Distance from the target that is no drift.
    """

    figure: WindowFigure
    tolerance: float

    @property
    def message(self) -> str:
        """The drift in words, with what to do."""
        each = self.figure
        return (
            f"recall of {each.kind} searches of '{each.label}' is {each.recall:.3f} (95% interval "
            f"{each.low:.3f} to {each.high:.3f}) over the last {each.samples:,} sampled queries, "
            f"target {each.target}: tune the index again on current queries (recsys index and "
            "recsys publish), or request a higher effort until then"
        )


@dataclass(frozen=True)
class AuditFigures:
    """State of an audit at one time.

    Attributes:
        seen: Number of queries that the audit was shown.
        sampled: Number of them that were chosen.
        compared: Number of samples that were compared with the exact answer.
        dropped: Number of samples that found the queue full.
        failed: Number of samples whose comparison, or whose report of drift, raised an error.
        waiting: Number of samples in the queue.
        wrong_rows: Number of rows in the compared answers that were not eligible; a fault.
        last_error: Text of the last error, or "".
        windows: Recall per index and kind of search, in the order of their names.
    """

    seen: int
    sampled: int
    compared: int
    dropped: int
    failed: int
    waiting: int
    wrong_rows: int
    last_error: str
    windows: tuple[WindowFigure, ...]


class Window:
    """The newest samples of one index and kind of search; not thread-safe."""

    def __init__(self, label: str, kind: SearchKind, size: int) -> None:
        self.label, self.kind = label, kind
        self.target: float | None = None
        self.compared = 0
        self.drifting = False
        self._recalls: deque[float] = deque(maxlen=size)

    def add(self, recall: float, target: float | None) -> None:
        """Add one sample; the oldest leaves a full window."""
        self.target = target
        self.compared += 1
        self._recalls.append(recall)

    def update(self, *, tolerance: float, at_least: int) -> bool:
        """Set ``drifting``; return whether a drift has just begun.

        The mean must be below the target by more than ``tolerance``, the whole interval below the
        target, and the window must hold ``at_least`` samples.
        """
        before = self.drifting
        mean = self._mean()
        self.drifting = (
            self.target is not None
            and len(self._recalls) >= at_least
            and mean < self.target - tolerance
            and interval(self._recalls)[1] < self.target
        )
        return self.drifting and not before

    def figure(self) -> WindowFigure:
        """The figure of the samples in the window; there must be one."""
        mean, samples = self._mean(), len(self._recalls)
        low, high = interval(self._recalls)
        return WindowFigure(
            self.label,
            self.kind,
            self.compared,
            samples,
            mean,
            low,
            high,
            min(self._recalls),
            self.target,
            self.drifting,
        )

    def _mean(self) -> float:
        return math.fsum(self._recalls) / len(self._recalls)


def interval(shares: Collection[float]) -> tuple[float, float]:
    """The 95% interval of the mean of shares between 0 and 1, of which there must be one.

    Agresti and Coull, "Approximate Is Better than Exact for Interval Estimation of Binomial
    Proportions", The American Statistician 1998: two failures and two successes are added, here
    to shares that may also lie between. It does not shrink to a point where all are equal.

    Example:
        >>> [round(end, 3) for end in interval([0.9] * 500)]
        [0.892, 0.902]
    """
    count = len(shares) + 4
    mean = (math.fsum(shares) + 2) / count
    variance = (math.fsum(each * each for each in shares) + 2) / count - mean * mean
    half = _Z * math.sqrt(variance / count)
    measured = math.fsum(shares) / len(shares)
    return max(0.0, min(measured, mean - half)), min(1.0, max(measured, mean + half))
