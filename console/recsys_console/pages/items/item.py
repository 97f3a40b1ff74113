"""The page of an item: its attributes, users and neighbours in every space side by side."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient, Query
from recsys_client import Request as SearchRequest
from recsys_client.errors import RecsysError, UnknownIdError
from recsys_client.records import CatalogItem
from recsys_console.pages.items.attributes import shown_attributes
from recsys_console.pages.items.audience import Audience, audience_of
from recsys_console.pages.items.listing import ItemCard
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()
NEIGHBOURS = 12


@dataclass(frozen=True)
class Neighbours:
    """The nearest items in one space.

    Attributes:
        space: Name of the space.
        items: Items, nearest first.
        fault: Reason why there are none, or "".
    """

    space: str
    items: tuple[ItemCard, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class ItemPage:
    """The view model of the page of an item.

    Attributes:
        id: Id.
        title: Title, or "".
        text: Further words, or "".
        attributes: Name and value of each attribute, as text.
        spaces: Names of the spaces in which it has a vector.
        neighbours: Nearest items per space.
        shared: Ids of the items that are near in several spaces.
        audience: Its interactions and users; None where the service has no store.
        watermark: Watermark of the state that answered.
        bundle_version: Version of the bundle that answered.
    """

    id: str
    title: str
    text: str
    attributes: tuple[tuple[str, str], ...]
    spaces: tuple[str, ...]
    neighbours: tuple[Neighbours, ...]
    shared: tuple[str, ...]
    audience: Audience | None
    watermark: int
    bundle_version: str


async def find_item(
    service: AsyncRecsysClient, item_id: str, *, thumbnail_size: int = 0
) -> CatalogItem:
    """The item with this id.

    Raises:
        UnknownIdError: It is not in the catalogue.
    """
    found = await service.get_items([item_id], thumbnail_size=thumbnail_size)
    if not found.items:
        raise UnknownIdError(f"the catalogue has no item {item_id!r:.80}", field="id")
    return found.items[0]


async def item_page(service: AsyncRecsysClient, item_id: str) -> ItemPage:
    """The page of an item.

    Raises:
        UnknownIdError: It is not in the catalogue.
    """
    found, description = await asyncio.gather(service.get_items([item_id]), service.describe())
    if not found.items:
        raise UnknownIdError(f"the catalogue has no item {item_id!r:.80}", field="id")
    item, spaces = found.items[0].item, found.items[0].spaces
    query = Query(item_id=item_id)
    answers, audience = await asyncio.gather(
        service.answer(
            [SearchRequest(query, k=NEIGHBOURS, space=space, titles=True) for space in spaces]
        ),
        audience_of(service, description, item_id),
    )
    neighbours = []
    for space, answer in zip(spaces, answers, strict=True):
        if isinstance(answer, RecsysError):
            neighbours.append(Neighbours(space, fault=answer.message))
            continue
        cards = [ItemCard(each.id, each.title or "", each.score) for each in answer.candidates]
        neighbours.append(Neighbours(space, tuple(cards)))
    ids = [each.id for near in neighbours for each in near.items]
    return ItemPage(
        item.item_id,
        item.title,
        item.text,
        shown_attributes(item.attributes, description.columns),
        spaces,
        tuple(neighbours),
        tuple(sorted({each for each in ids if ids.count(each) > 1})),
        audience,
        found.watermark,
        found.bundle_version,
    )


@router.get("/items/item")
async def show(request: Request, service: Service, id: str) -> Response:
    """Show an item."""
    return respond(request, "items/item.html", await item_page(service, id))
