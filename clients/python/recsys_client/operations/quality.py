"""Operations of ``recsys.v1.QualityService``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from recsys_client.errors import InvalidRequestError
from recsys_client.operations.operation import Operation, made
from recsys_client.pb.recsys.v1 import quality_pb2 as pb
from recsys_client.records.quality import (
    ExpectedItem,
    FailedQuery,
    Figure,
    FigureComparison,
    ItemMap,
    MapMethod,
    Report,
    ReportComparison,
    ScorerReport,
    Search,
    SearchOrder,
    SearchOrigin,
    SearchPage,
    Segment,
)

SERVICE = "/recsys.v1.QualityService/"
ORIGINS: Mapping[SearchOrigin, pb.SearchOrigin] = {
    "recorded": pb.SEARCH_ORIGIN_RECORDED,
    "training": pb.SEARCH_ORIGIN_TRAINING,
}
ORDERS: Mapping[SearchOrder, pb.SearchOrder] = {
    "uses": pb.SEARCH_ORDER_USES,
    "latest": pb.SEARCH_ORDER_LATEST,
}
METHODS: Mapping[MapMethod, pb.MapMethod] = {
    "pca": pb.MAP_METHOD_PCA,
    "umap": pb.MAP_METHOD_UMAP,
}
Name = TypeVar("Name", bound=str)
Value = TypeVar("Value")


def get_report(version: str) -> Operation[Report]:
    """The report of a bundle; "" for the active one."""
    message = made(lambda: pb.GetReportRequest(version=version))
    return Operation(SERVICE + "GetReport", message, pb.GetReportResponse, _read_report)


def compare_reports(version_a: str, version_b: str) -> Operation[ReportComparison]:
    """Two reports side by side; "" for the active bundle as the second."""
    message = made(lambda: pb.CompareReportsRequest(version_a=version_a, version_b=version_b))
    return Operation(
        SERVICE + "CompareReports", message, pb.CompareReportsResponse, _read_comparison
    )


def list_searches(
    origin: SearchOrigin, contains: str, order: SearchOrder, page_size: int, page_token: str
) -> Operation[SearchPage]:
    """A page of the search log."""
    message = made(
        lambda: pb.ListSearchesRequest(
            origin=_value(ORIGINS, origin, "origin"),
            contains=contains,
            order=_value(ORDERS, order, "order"),
            page_size=page_size,
            page_token=page_token,
        )
    )
    return Operation(SERVICE + "ListSearches", message, pb.ListSearchesResponse, _read_searches)


def get_item_map(space: str, method: MapMethod, column: str, max_points: int) -> Operation[ItemMap]:
    """A map of the items of a space, or its first points; 0 for all of them."""
    message = made(
        lambda: pb.GetItemMapRequest(
            space=space,
            method=_value(METHODS, method, "method"),
            column=column,
            max_points=max_points,
        )
    )
    return Operation(SERVICE + "GetItemMap", message, pb.GetItemMapResponse, _read_map)


def _value(known: Mapping[Name, Value], name: Name, field: str) -> Value:
    if name not in known:
        raise InvalidRequestError(
            f"{field} must be one of {', '.join(known)}; got {name!r:.80}", field=field
        )
    return known[name]


def _read_report(message: pb.GetReportResponse) -> Report:
    report = message.report
    return Report(
        report.version,
        report.name,
        tuple(report.seeds),
        report.protocol,
        report.k,
        tuple(
            ScorerReport(each.name, each.baseline, _figures(each.figures))
            for each in report.scorers
        ),
        tuple(Segment(each.name, each.queries, _figures(each.recalls)) for each in report.segments),
        _figures(report.figures),
        {epoch.number: dict(epoch.figures) for epoch in report.epochs},
        report.queries,
        report.failed_queries,
        tuple(map(_read_failure, report.failures)),
    )


def _figures(messages: Iterable[pb.Figure]) -> dict[str, Figure]:
    return {
        each.name: Figure(
            each.name, each.value, (each.low, each.high) if each.HasField("low") else None
        )
        for each in messages
    }


def _read_failure(message: pb.FailedQuery) -> FailedQuery:
    expected = [
        ExpectedItem(each.item_id, each.rank, tuple(each.segments)) for each in message.expected
    ]
    return FailedQuery(
        message.user_id,
        tuple(message.history_ids),
        message.history_length,
        message.terms,
        tuple(expected),
        tuple(message.answered_ids),
        tuple(message.segments),
    )


def _read_comparison(message: pb.CompareReportsResponse) -> ReportComparison:
    figures = [
        FigureComparison(
            each.name,
            each.a,
            each.b,
            each.difference,
            (each.low, each.high) if each.HasField("low") else None,
        )
        for each in message.figures
    ]
    return ReportComparison(
        message.version_a,
        message.version_b,
        tuple(figures),
        message.queries,
        message.unpaired_reason,
        {each.key: (each.a, each.b) for each in message.settings},
    )


def _read_searches(message: pb.ListSearchesResponse) -> SearchPage:
    searches = [
        Search(each.terms, each.uses, each.items, each.last_time, tuple(each.series))
        for each in message.searches
    ]
    return SearchPage(
        tuple(searches),
        message.next_page_token,
        message.terms,
        message.uses,
        message.first_time,
        message.last_time,
        message.previous_page_token,
    )


def _read_map(message: pb.GetItemMapResponse) -> ItemMap:
    names = {value: name for name, value in METHODS.items()}
    return ItemMap(
        message.bundle_version,
        message.pending,
        tuple(message.item_ids),
        tuple(message.x),
        tuple(message.y),
        tuple(message.titles),
        tuple(message.labels),
        tuple(message.point_labels),
        message.items,
        message.explained_variance,
        tuple(names[value] for value in message.methods if value in names),
        message.points,
    )
