"""The alerts of a service: one definition for ``GetStatus`` and for Prometheus.

``python -m recsys_server.operations.alerts > deploy/alerts.yml`` writes the rules of Prometheus.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recsys_server.metrics.definitions import METRICS
from recsys_server.operations.series import RECENT, Minute, quantile, summed

OWN_FAULTS = ("INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE")
TOO_BUSY = ("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED")
FAULT_SHARE, BUSY_SHARE = 0.01, 0.05
LAG_SECONDS, WAIT_SECONDS, DEATHS = 60, 0.5, 3
RATE_MINUTES, DEATH_MINUTES = RECENT, 15


@dataclass(frozen=True, eq=False)
class Figures:
    """What the conditions read.

    Attributes:
        ready: Number of workers that answer.
        deaths: Number of workers that have died in the last ``DEATH_MINUTES``.
        recent: Counts of the last ``RATE_MINUTES``.
        gauges: Gauges of all workers: name, labels and value.
    """

    ready: int
    deaths: int
    recent: Minute
    gauges: Sequence[Sequence[Any]]

    def values(self, name: str) -> list[float]:
        """Values of a gauge, over workers and labels."""
        return [value for found, _, value in self.gauges if found == name]

    def is_above(self, name: str, limit: float) -> bool:
        """Whether a gauge is above a limit in any worker."""
        return max(self.values(name), default=limit) > limit

    def share(self, statuses: Sequence[str]) -> float:
        """Share of the recent calls that have ended with these statuses; 0 without calls."""
        calls = {
            labels: value
            for (name, labels), value in self.recent.numbers.items()
            if name == "recsys_calls"
        }
        failed = sum(value for labels, value in calls.items() if labels[1] in statuses)
        return failed / sum(calls.values()) if calls else 0.0

    def wait(self) -> float:
        """Time within which 99% of the recent retrievals began, in seconds."""
        name = "recsys_queue_wait_seconds"
        counts = summed(
            each for (found, _), each in self.recent.histograms.items() if found == name
        )
        return quantile(METRICS[name].buckets, counts, 0.99)


@dataclass(frozen=True, eq=False)
class AlertRule:
    """A condition that needs an operator.

    Attributes:
        code: Name.
        severity: Whether callers are affected ("critical").
        summary: What is wrong.
        action: What to do.
        expression: The condition for Prometheus.
        holds: The condition.
        seconds: Seconds that the condition must hold.
    """

    code: str
    severity: Literal["warning", "critical"]
    summary: str
    action: str
    expression: str
    holds: Callable[[Figures], bool]
    seconds: int = 0


def _rate(statuses: Sequence[str], share: float) -> str:
    calls = f"[{RATE_MINUTES}m]"
    chosen = f'recsys_calls_total{{status=~"{"|".join(statuses)}"}}{calls}'
    return f"sum(rate({chosen})) > {share} * sum(rate(recsys_calls_total{calls}))"


ALERTS = (
    AlertRule(
        "ServiceDown",
        "critical",
        "No worker answers.",
        "Read the log of the supervisor; it states why the workers ended.",
        'up{job="recsys"} == 0 or recsys_workers_ready == 0',
        lambda figures: figures.ready == 0,
        60,
    ),
    AlertRule(
        "ErrorsOfTheService",
        "critical",
        f"More than {FAULT_SHARE:.0%} of the calls fail by a fault of the service.",
        "Look for lines with the status INTERNAL or UNAVAILABLE in the log; roll the bundle back "
        "if they began with it.",
        _rate(OWN_FAULTS, FAULT_SHARE),
        lambda figures: figures.share(OWN_FAULTS) > FAULT_SHARE,
        300,
    ),
    AlertRule(
        "CallsAreRefused",
        "critical",
        f"More than {BUSY_SHARE:.0%} of the calls are refused or too late.",
        "Add workers or machines, or limit the rate of the token that calls most.",
        _rate(TOO_BUSY, BUSY_SHARE),
        lambda figures: figures.share(TOO_BUSY) > BUSY_SHARE,
        300,
    ),
    AlertRule(
        "StoreUnreachable",
        "critical",
        "A worker cannot read the store; writes are refused.",
        "Check the disk or the database of the store; the log states its error. Reads are still "
        "answered.",
        "min(recsys_store_up) == 0",
        lambda figures: min(figures.values("recsys_store_up"), default=1.0) == 0,
        60,
    ),
    AlertRule(
        "AnswersHoldWrongItems",
        "critical",
        "An answer held items that were filtered or excluded.",
        "This is a fault of the software: report it with the log of the audit.",
        "max(recsys_audit_wrong_rows) > 0",
        lambda figures: figures.is_above("recsys_audit_wrong_rows", 0),
    ),
    AlertRule(
        "WorkersDie",
        "warning",
        "Workers die and are replaced.",
        "Read the log of the supervisor; it states the signal or exit code of each. SIGKILL often "
        "means that the memory is full.",
        f"increase(recsys_workers_replaced_total[{DEATH_MINUTES}m]) > {DEATHS}",
        lambda figures: figures.deaths > DEATHS,
    ),
    AlertRule(
        "SnapshotLags",
        "warning",
        f"A worker answers without changes that are older than {LAG_SECONDS} seconds.",
        "Look at the changes that wait: if there are many, items are upserted faster than they are "
        "encoded; if none, the worker cannot read the store.",
        f"max(recsys_snapshot_lag_seconds) > {LAG_SECONDS}",
        lambda figures: figures.is_above("recsys_snapshot_lag_seconds", LAG_SECONDS),
        60,
    ),
    AlertRule(
        "BundleRefused",
        "warning",
        "A published bundle cannot be served.",
        "BundleService.ListBundles states why; publish the bundle again.",
        "max(recsys_bundles_refused) > 0",
        lambda figures: figures.is_above("recsys_bundles_refused", 0),
    ),
    AlertRule(
        "RecallBelowTarget",
        "warning",
        "The recall of sampled searches is below its target.",
        "Tune the index again on current queries (recsys index, recsys publish), or request a "
        "higher effort until then.",
        "max by (bundle, space, kind) (recsys_recall_drifting) > 0",
        lambda figures: figures.is_above("recsys_recall_drifting", 0),
    ),
    AlertRule(
        "CallsWait",
        "warning",
        f"1% of the retrievals wait for more than {WAIT_SECONDS} seconds.",
        "Add workers or machines.",
        "histogram_quantile(0.99, sum by (le) "
        f"(rate(recsys_queue_wait_seconds_bucket[{RATE_MINUTES}m]))) > {WAIT_SECONDS}",
        lambda figures: figures.wait() > WAIT_SECONDS,
        300,
    ),
)
"""The alerts, the most severe first."""


class AlertState:
    """Since when the conditions hold.

    Example:
        >>> state = AlertState()
        >>> dead = Figures(0, 0, Minute(0, 0.0, {}, {}), ())
        >>> state.update(dead, now=100.0), state.update(dead, now=170.0)
        ([], [('ServiceDown', 100.0)])
    """

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def update(self, figures: Figures, now: float) -> list[tuple[str, float]]:
        """Codes of the alerts, and the time since which the condition of each holds."""
        found = []
        for rule in ALERTS:
            if not rule.holds(figures):
                self._since.pop(rule.code, None)
                continue
            since = self._since.setdefault(rule.code, now)
            if now - since >= rule.seconds:
                found.append((rule.code, since))
        return found


def prometheus_rules() -> str:
    """The alerts as a file of rules for Prometheus."""
    lines = [
        "# Written by: python -m recsys_server.operations.alerts",
        "groups:",
        "  - name: recsys",
        "    rules:",
    ]
    for rule in ALERTS:
        duration = [f"        for: {rule.seconds // 60}m"] if rule.seconds else []
        lines += [
            f"      - alert: {rule.code}",
            "        expr: >-",
            *_wrapped(rule.expression),
            *duration,
            "        labels:",
            f"          severity: {rule.severity}",
            "        annotations:",
            "          summary: >-",
            *_wrapped(rule.summary, 12),
            "          action: >-",
            *_wrapped(rule.action, 12),
        ]
    return "\n".join(lines) + "\n"


def _wrapped(text: str, indent: int = 10) -> list[str]:
    return textwrap.wrap(
        text,
        100,
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    print(prometheus_rules(), end="")
