"""Reports, comparisons and searches as messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recsys.bundle import Manifest
from recsys.evaluation.published import PublishedReport, segments
from recsys.run_comparison import ComparedReports
from recsys.store.searches import SearchLog
from recsys_client.pb.recsys.v1 import quality_pb2 as pb

_NUMBER = "epoch"


def report_message(manifest: Manifest, report: PublishedReport) -> pb.Report:
    """The message of a report."""
    content, model = report.content, report.model
    evaluations: Mapping[str, Any] = content["evaluations"]
    return pb.Report(
        version=manifest.version,
        name=content["name"],
        seeds=content["seeds"],
        protocol=content["protocol"],
        k=content["k"],
        scorers=[
            pb.ScorerReport(
                name=name,
                baseline=not name.startswith(model.name),
                figures=[_figure(metric, metric, each) for metric in each["figures"]],
            )
            for name, each in evaluations.items()
        ],
        segments=_segments(content, evaluations),
        figures=[
            pb.Figure(name=name, value=value)
            for name, value in manifest.figures.items()
            if name.partition(".")[0] not in evaluations
        ],
        epochs=[
            pb.Epoch(
                number=int(epoch.get(_NUMBER, position)),
                figures={name: value for name, value in epoch.items() if name != _NUMBER},
            )
            for position, epoch in enumerate(content["epochs"], start=1)
        ],
        queries=model.counts["queries"],
        failed_queries=content["failed_queries"],
        failures=map(_failure, content["failures"]),
    )


def _segments(content: Mapping[str, Any], evaluations: Mapping[str, Any]) -> Iterator[pb.Segment]:
    for name, queries in segments(content):
        metric = f"recall_of_{name}@{content['k']}"
        recalls = [
            _figure(scorer, metric, each)
            for scorer, each in evaluations.items()
            if metric in each["figures"]
        ]
        yield pb.Segment(name=name, queries=queries, recalls=recalls)


def _figure(name: str, metric: str, evaluation: Mapping[str, Any]) -> pb.Figure:
    low, high = evaluation["intervals"].get(metric, (None, None))
    return pb.Figure(name=name, value=evaluation["figures"][metric], low=low, high=high)


def _failure(found: Mapping[str, Any]) -> pb.FailedQuery:
    return pb.FailedQuery(
        user_id=found["user_id"],
        history_ids=found["history_ids"],
        history_length=found["history_length"],
        terms=found["terms"],
        expected=[
            pb.ExpectedItem(item_id=item_id, rank=rank, segments=kinds)
            for item_id, rank, kinds in found["expected"]
        ],
        answered_ids=found["answered_ids"],
        segments=found["segments"],
    )


def comparison_message(found: ComparedReports) -> pb.CompareReportsResponse:
    """The message of a comparison."""
    return pb.CompareReportsResponse(
        version_a=found.versions[0],
        version_b=found.versions[1],
        figures=[
            pb.FigureComparison(
                name=each.name,
                a=each.a,
                b=each.b,
                difference=each.difference,
                low=None if each.interval is None else each.interval[0],
                high=None if each.interval is None else each.interval[1],
            )
            for each in found.figures
        ],
        queries=found.queries,
        unpaired_reason=found.unpaired_reason,
        settings=[
            pb.SettingComparison(key=key, a=a, b=b) for key, (a, b) in found.settings.items()
        ],
    )


def searches_message(log: SearchLog) -> pb.ListSearchesResponse:
    """The message of a page of the search log, without tokens of other pages."""
    return pb.ListSearchesResponse(
        searches=[
            pb.Search(
                terms=each.terms,
                uses=each.uses,
                items=each.items,
                last_time=each.last_time,
                series=each.series,
            )
            for each in log.searches
        ],
        terms=log.terms,
        uses=log.uses,
        first_time=log.first_time,
        last_time=log.last_time,
    )
