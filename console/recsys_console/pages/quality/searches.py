"""The search log: what people search for, and how often something followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.records import SearchOrder, SearchOrigin, SearchPage
from recsys_console.pages.quality.offered import offered
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()
PAGE_SIZE = 50


@dataclass(frozen=True)
class Searches:
    """The view model of the search log.

    Attributes:
        available: Whether the service shows the quality of its bundles.
        has_store: Whether the service records interactions.
        origin: The log that is shown.
        contains: Text that the terms contain.
        order: Order of the terms.
        page_token: Token of this page, or "".
        page: The searches; None without a log.
    """

    available: bool
    has_store: bool = False
    origin: SearchOrigin = "recorded"
    contains: str = ""
    order: SearchOrder = "uses"
    page_token: str = ""
    page: SearchPage | None = None


async def searches_page(
    service: AsyncRecsysClient,
    origin: SearchOrigin | Literal[""],
    contains: str,
    order: SearchOrder,
    page_token: str,
) -> Searches:
    """A page of the search log; without an ``origin`` the recorded one, if it has searches."""
    offer = await offered(service)
    if not offer.has_quality:
        return Searches(available=False)

    async def page(of: SearchOrigin) -> SearchPage:
        return await service.list_searches(
            origin=of, contains=contains, order=order, page_size=PAGE_SIZE, page_token=page_token
        )

    if origin == "recorded" and not offer.has_store:
        return Searches(True, False, "recorded", contains, order)
    if not origin:
        found = await page("recorded") if offer.has_store else None
        if found is not None and (found.terms or contains):
            return Searches(True, True, "recorded", contains, order, page_token, found)
    chosen: SearchOrigin = origin or "training"
    return Searches(True, offer.has_store, chosen, contains, order, page_token, await page(chosen))


@router.get("/quality/searches")
async def show(
    request: Request,
    service: Service,
    origin: Literal["", "recorded", "training"] = "",
    contains: str = "",
    order: Literal["uses", "latest"] = "uses",
    page_token: str = "",
) -> Response:
    """Show the search log."""
    view = await searches_page(service, origin, contains.strip(), order, page_token)
    return respond(request, "quality/searches.html", view, block="log")
