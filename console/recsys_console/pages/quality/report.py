"""The report of a bundle: figures, scorers, segments, training, and the queries that fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.errors import NotFoundError
from recsys_client.records import BundleRecord, FailedQuery, Report, ScorerReport
from recsys_console.pages.quality.offered import Offered, offered
from recsys_console.rendering.quality_plots import Bar, curve_plot
from recsys_console.rendering.quality_words import scorer_name, segment_name
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()
PER_PAGE = 6
"""Number of failed queries on a page."""


@dataclass(frozen=True)
class Failures:
    """A page of the failed queries.

    Attributes:
        queries: Failed queries.
        titles: Title of each item that they name and that has one.
        segments: Segments by which they can be chosen, with the number of queries of each.
        segment: The chosen segment, or "" for all.
        page: Number of the page, from 1.
        pages: Number of pages.
    """

    queries: tuple[FailedQuery, ...]
    titles: dict[str, str]
    segments: dict[str, int]
    segment: str
    page: int
    pages: int


@dataclass(frozen=True)
class ReportPage:
    """The view model of a report.

    Attributes:
        available: Whether the service shows the quality of its bundles.
        bundles: Bundles of the service, the latest first.
        version: Version of the bundle that is shown.
        report: Its report; None where it has none.
        best_baseline: The baseline with the highest recall, or None.
        failures: Failed queries; None without a report.
    """

    available: bool
    bundles: tuple[BundleRecord, ...] = ()
    version: str = ""
    report: Report | None = None
    best_baseline: ScorerReport | None = None
    failures: Failures | None = None

    @property
    def recall(self) -> str:
        """Name of the main figure."""
        return f"recall@{self.report.k}" if self.report else ""

    def scorer_bars(self) -> list[Bar]:
        """Recall of each scorer."""
        assert self.report is not None
        return [
            Bar(
                scorer_name(each.name),
                each.figures[self.recall].value,
                each.figures[self.recall].interval,
                series=5 if each.baseline else 1,
            )
            for each in self.report.scorers
            if self.recall in each.figures
        ]

    def segment_bars(self) -> list[tuple[str, int, list[Bar]]]:
        """Name, number of queries, and recall of the model and of the best baseline per segment."""
        assert self.report is not None
        shown = [(self.report.model.name, 1)]
        if self.best_baseline is not None:
            shown.append((self.best_baseline.name, 5))
        return [
            (
                segment_name(segment.name),
                segment.queries,
                [
                    Bar(scorer_name(name), found.value, found.interval, series=series)
                    for name, series in shown
                    if (found := segment.recalls.get(name)) is not None
                ],
            )
            for segment in self.report.segments
        ]

    @property
    def segment_top(self) -> float:
        """Value of a bar of the full width in all segments."""
        bars = [bar for _, _, bars in self.segment_bars() for bar in bars]
        return max((max((bar.value, *(bar.interval or ()))) for bar in bars), default=0.0)

    def curves(self) -> list[object]:
        """Plots of the training: the loss, and the figure on validation."""
        assert self.report is not None
        names = list(dict.fromkeys(name for each in self.report.epochs.values() for name in each))
        return [
            curve_plot(
                "Training loss" if name == "loss" else f"{name} on validation",
                {number: each[name] for number, each in self.report.epochs.items() if name in each},
            )
            for name in names
        ]


async def report_page(
    service: AsyncRecsysClient, version: str, segment: str, page: int
) -> ReportPage:
    """The report of a bundle, or of the active one, with a page of its failed queries."""
    offer: Offered = await offered(service)
    if not offer.has_quality:
        return ReportPage(available=False)
    chosen = offer.chosen(version)
    if chosen not in offer.reported:
        return ReportPage(True, offer.bundles, chosen)
    report = await service.get_report(chosen)
    baselines = [each for each in report.scorers if each.baseline]
    best = max(baselines, key=lambda each: each.value(f"recall@{report.k}") or 0.0, default=None)
    failures = await _failures(service, report, segment, page)
    return ReportPage(True, offer.bundles, chosen, report, best, failures)


async def _failures(
    service: AsyncRecsysClient, report: Report, segment: str, page: int
) -> Failures:
    counts: dict[str, int] = {}
    for query in report.failures:
        for name in _segments(query):
            counts[name] = counts.get(name, 0) + 1
    segment = segment if segment in counts else ""
    found = [query for query in report.failures if not segment or segment in _segments(query)]
    pages = max(1, -(-len(found) // PER_PAGE))
    page = min(max(page, 1), pages)
    shown = tuple(found[(page - 1) * PER_PAGE : page * PER_PAGE])
    ids = dict.fromkeys(
        item_id
        for query in shown
        for item_id in (
            *query.history_ids,
            *(each.item_id for each in query.expected),
            *query.answered_ids,
        )
    )
    titles = await titles_of(service, list(ids))
    return Failures(shown, titles, counts, segment, page, pages)


async def titles_of(service: AsyncRecsysClient, item_ids: list[str]) -> dict[str, str]:
    """Title of each item that has one; none where the service shows no items."""
    try:
        found = await service.get_items(item_ids) if item_ids else None
    except NotFoundError:
        return {}
    return {each.item.item_id: each.item.title for each in found.items} if found else {}


def _segments(query: FailedQuery) -> list[str]:
    """Segments of the user and of the held-out items."""
    names = [*query.segments, *(name for each in query.expected for name in each.segments)]
    return list(dict.fromkeys(names))


@router.get("/quality")
async def show(
    request: Request,
    service: Service,
    version: str = "",
    segment: str = "",
    page: Annotated[int, Query(ge=1, le=1_000)] = 1,
) -> Response:
    """Show the report of a bundle."""
    view = await report_page(service, version, segment, page)
    return respond(request, "quality/report.html", view, block="failures")
