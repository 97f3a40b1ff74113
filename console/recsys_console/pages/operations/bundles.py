"""The published bundles with their figures, and which of them answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.errors import RecsysError
from recsys_client.records import BundleRecord
from recsys_console.pages.operations.rights import lacking
from recsys_console.rendering.responses import respond
from recsys_console.security.requests import CurrentSession
from recsys_console.service.connection import Service

router = APIRouter()
SERVICE = "recsys.v1.BundleService"
REPORTS = 12
"""Number of the latest bundles whose reports are read."""
FIGURES = ("recall@", "ndcg@", "hr@")
"""Beginnings of the names of the figures that are shown."""


@dataclass(frozen=True)
class BundleRow:
    """A published bundle.

    Attributes:
        record: The bundle.
        figures: Name and value of the main figures of its report; empty without one.
    """

    record: BundleRecord
    figures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Bundles:
    """The view model of the page of bundles.

    Attributes:
        bundles: Bundles, the latest first.
        canary: Version of the canary, or "".
        available: Whether the service serves a folder of bundles.
        lacks: Reason why the token may not change what answers, or "".
    """

    bundles: tuple[BundleRow, ...] = ()
    canary: str = ""
    available: bool = True
    lacks: str = ""


async def list_bundles(service: AsyncRecsysClient) -> Bundles:
    """The published bundles."""
    if SERVICE not in (await service.describe()).services:
        return Bundles(available=False)
    records = await service.list_bundles()
    figures = await asyncio.gather(*(_figures(service, each) for each in records[:REPORTS]))
    rows = [BundleRow(record, found) for record, found in zip(records, figures, strict=False)]
    rows += [BundleRow(record) for record in records[REPORTS:]]
    canary = next((each.version for each in records if each.canary_share), "")
    return Bundles(tuple(rows), canary)


async def _figures(
    service: AsyncRecsysClient, record: BundleRecord
) -> tuple[tuple[str, float], ...]:
    if not record.has_report:
        return ()
    try:
        report = await service.get_report(record.version)
    except RecsysError:  # the page of its quality shows why
        return ()
    if not report.scorers:
        return ()
    found = report.scorers[0].figures
    k = f"@{report.k}"
    names = [name for start in FIGURES for name in found if name.startswith(start)]
    return tuple((name, found[name].value) for name in names if name.endswith(k))


@router.get("/operations")
async def show(request: Request, service: Service, session: CurrentSession) -> Response:
    """Show the bundles."""
    view = replace(await list_bundles(service), lacks=lacking(session, "bundle", "admin"))
    return respond(request, "operations/bundles.html", view)
