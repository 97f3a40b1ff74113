"""The page: figures, plots, alerts with what to do, spaces with their recall, and workers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.errors import RecsysError
from recsys_client.records import AuditStatus, Description, IndexStatus, ServiceStatus
from recsys_console.pages.overview.traffic import Traffic, TrafficTotals, totals_of, traffic_of
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()
MINUTES = 360
"""Largest number of minutes that the service keeps."""


@dataclass(frozen=True)
class SpaceRow:
    """A space of the active bundle.

    Attributes:
        name: Name.
        items: Number of items with a vector.
        dimensions: Number of dimensions.
        reads: Parts of a query that it reads.
        index: Its index; None where the state of the service is not known.
        audits: Audited recall of its searches by kind.
    """

    name: str
    items: int
    dimensions: int
    reads: tuple[str, ...]
    index: IndexStatus | None = None
    audits: tuple[AuditStatus, ...] = ()


@dataclass(frozen=True)
class Overview:
    """The view model of the overview.

    Attributes:
        description: Description of the service.
        spaces: Spaces, with their indexes and audits.
        minutes: Number of minutes that the plots show.
        status: State of the service; None where it is not known.
        fault: Reason why it is not known, or "".
        traffic: Traffic over time.
        totals: Traffic in figures.
    """

    description: Description
    spaces: tuple[SpaceRow, ...]
    minutes: int
    status: ServiceStatus | None = None
    fault: str = ""
    traffic: Traffic = Traffic()
    totals: TrafficTotals = TrafficTotals()

    @property
    def lag_seconds(self) -> float:
        """Seconds by which the slowest worker's snapshot is behind the store."""
        workers = self.status.workers if self.status is not None else ()
        return max((each.lag_seconds for each in workers), default=0.0)

    @property
    def lag_changes(self) -> int:
        """Number of changes that the slowest worker's answers do not include yet."""
        workers = self.status.workers if self.status is not None else ()
        return max((each.lag_changes for each in workers), default=0)


async def overview(service: AsyncRecsysClient, minutes: int) -> Overview:
    """The overview of a service, with the traffic of the last ``minutes``."""
    description, status, series = await asyncio.gather(
        service.describe(),
        service.get_status(),
        service.get_time_series(minutes),
        return_exceptions=True,
    )
    if isinstance(description, BaseException):
        raise description
    if isinstance(status, RecsysError):
        return Overview(description, _spaces(description, None), minutes, fault=status.message)
    if isinstance(status, BaseException):
        raise status
    if isinstance(series, BaseException):
        raise series
    return Overview(
        description,
        _spaces(description, status),
        minutes,
        status,
        traffic=traffic_of(series, minutes),
        totals=totals_of(series),
    )


def _spaces(description: Description, status: ServiceStatus | None) -> tuple[SpaceRow, ...]:
    indexes = status.indexes if status is not None else ()
    audits = status.audits if status is not None else ()
    by_space = {each.space: each for each in indexes if each.bundle == "active"}
    return tuple(
        SpaceRow(
            each.name,
            each.items,
            each.dimensions,
            each.reads,
            by_space.get(each.name),
            tuple(one for one in audits if one.space == each.name and one.bundle == "active"),
        )
        for each in description.spaces
    )


@router.get("/")
async def show(
    request: Request, service: Service, minutes: Annotated[int, Query(ge=1, le=MINUTES)] = 60
) -> Response:
    """Show the overview."""
    return respond(request, "overview.html", await overview(service, minutes), block="state")
