"""The comparison of two published bundles, by the reports that they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.bundle import Manifest, read_report
from recsys.errors import DataError, InvalidRequestError
from recsys.evaluation.published import PublishedReport
from recsys.run_comparison.comparing import compare_runs
from recsys.run_comparison.evaluated_runs import EvaluatedRun, flatten

_PASSWORD = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True)
class ComparedFigure:
    """A figure of two bundles.

    Attributes:
        name: Name.
        a: Value of the first bundle.
        b: Value of the second bundle.
        difference: The second minus the first.
        interval: 95% interval of the difference, or None where it is not known.
    """

    name: str
    a: float
    b: float
    difference: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class ComparedReports:
    """Two reports side by side.

    Attributes:
        versions: Names of the two bundles.
        figures: Figures of the models that both have, ordered by k.
        queries: Number of queries of which the intervals are, 0 without any.
        unpaired_reason: Reason why there are no intervals, or "".
        settings: Both values as text of each setting that differs, without passwords.
    """

    versions: tuple[str, str]
    figures: tuple[ComparedFigure, ...]
    queries: int
    unpaired_reason: str
    settings: Mapping[str, tuple[str, str]]


def compare_reports(root: Path, version_a: str, version_b: str) -> ComparedReports:
    """Compare the models of two bundles, on the same queries where they were evaluated on them.

    Args:
        root: Folder of bundles.
        version_a: Name of the first bundle, or "current".
        version_b: Name of the second bundle, or "current".

    Raises:
        NotFoundError: A bundle does not exist or has no report.
        InvalidRequestError: Both are the same bundle.
        BundleError: A report differs from its manifest.
    """
    first, second = read_report(root, version_a), read_report(root, version_b)
    versions = first[0].version, second[0].version
    if versions[0] == versions[1]:
        raise InvalidRequestError(
            f"both bundles are {versions[0]}; name two bundles", field="version_a"
        )
    runs = [_run(manifest, report) for manifest, report in (first, second)]
    intervals: dict[str, tuple[float, tuple[float, float]]] = {}
    queries, reason = len(runs[0].queries.targets), ""
    try:
        found = compare_runs(runs, ks=[int(first[1].content["k"])])
        for name, gap in found["runs"][1]["differences"].items():
            intervals[name] = gap["difference"], (gap["low"], gap["high"])
    except (DataError, InvalidRequestError) as error:
        queries, reason = 0, error.message
    return ComparedReports(
        versions, tuple(_figures(first[1], second[1], intervals)), queries, reason, _settings(runs)
    )


def _run(manifest: Manifest, report: PublishedReport) -> EvaluatedRun:
    return EvaluatedRun(
        name=manifest.version,
        model=report.model.name,
        folder=Path(manifest.version),
        evaluation=report.model,
        queries=report.queries,
        settings=dict(flatten(manifest.config)),
        files={},
        seconds={},
    )


def _figures(
    first: PublishedReport,
    second: PublishedReport,
    intervals: Mapping[str, tuple[float, tuple[float, float]]],
) -> Iterator[ComparedFigure]:
    one, other = first.model.figures, second.model.figures
    for name in sorted((each for each in one if each in other), key=_k):
        gap, interval = intervals.get(name, (other[name] - one[name], None))
        yield ComparedFigure(name, one[name], other[name], gap, interval)


def _k(metric: str) -> int:
    return int(metric.rpartition("@")[2])


def _settings(runs: list[EvaluatedRun]) -> dict[str, tuple[str, str]]:
    one, other = ({key: _shown(value) for key, value in run.settings.items()} for run in runs)
    pairs = {key: (one.get(key, ""), other.get(key, "")) for key in {**one, **other}}
    return {key: values for key, values in pairs.items() if values[0] != values[1]}


def _shown(value: Any) -> str:
    """A value of a setting as text; a password in a URL is left out."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _PASSWORD.sub("***@", text)
