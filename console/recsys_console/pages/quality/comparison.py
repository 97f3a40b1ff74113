"""Two bundles side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.records import BundleRecord, FigureComparison, ReportComparison
from recsys_console.pages.quality.offered import offered
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()


@dataclass(frozen=True)
class FigureGroup:
    """Figures at one k.

    Attributes:
        k: The k.
        figures: Figures.
        top: The largest bound of their differences, without its sign.
    """

    k: int
    figures: tuple[FigureComparison, ...]
    top: float


@dataclass(frozen=True)
class ComparisonPage:
    """The view model of a comparison.

    Attributes:
        available: Whether the service shows the quality of its bundles.
        bundles: Bundles of the service, the latest first.
        a: Version of the first bundle.
        b: Version of the second bundle.
        comparison: Both reports; None where they cannot be compared.
        groups: The figures by k; those with intervals first.
        lacking: Versions of those of the two that have no report.
    """

    available: bool
    bundles: tuple[BundleRecord, ...] = ()
    a: str = ""
    b: str = ""
    comparison: ReportComparison | None = None
    groups: tuple[FigureGroup, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def clear(self) -> tuple[int, int]:
        """Number of figures that are clearly higher and clearly lower in the second bundle."""
        figures = self.comparison.figures if self.comparison else ()
        found = [each.difference > 0 for each in figures if each.is_clear]
        return sum(found), len(found) - sum(found)


async def comparison_page(service: AsyncRecsysClient, a: str, b: str) -> ComparisonPage:
    """Two bundles side by side; by default the active one and the one before it with a report."""
    offer = await offered(service)
    if not offer.has_quality:
        return ComparisonPage(available=False)
    second = offer.chosen(b)
    others = [each.version for each in offer.bundles if each.version != second]
    reported = [each for each in others if each in offer.reported]
    first = a if a in others else _before(second, reported or others)
    lacking = tuple(each for each in (first, second) if each not in offer.reported)
    if not first or lacking:
        return ComparisonPage(True, offer.bundles, first, second, lacking=lacking)
    found = await service.compare_reports(first, second)
    return ComparisonPage(True, offer.bundles, first, second, found, tuple(_groups(found)))


def _before(version: str, others: Sequence[str]) -> str:
    """The latest of the others that is before a version, else the latest; "" without others."""
    return next((each for each in others if each < version), next(iter(others), ""))


def _groups(found: ReportComparison) -> list[FigureGroup]:
    by_k: dict[int, list[FigureComparison]] = {}
    for each in found.figures:
        by_k.setdefault(int(each.name.rpartition("@")[2]), []).append(each)
    groups = [
        FigureGroup(k, tuple(figures), max(map(_bound, figures))) for k, figures in by_k.items()
    ]
    return sorted(groups, key=lambda group: not any(each.interval for each in group.figures))


def _bound(figure: FigureComparison) -> float:
    bounds: list[float] = [figure.difference, *(figure.interval or ())]
    return max(max(bounds), -min(bounds))


@router.get("/quality/compare")
async def show(request: Request, service: Service, a: str = "", b: str = "") -> Response:
    """Show two bundles side by side."""
    return respond(request, "quality/compare.html", await comparison_page(service, a, b))
