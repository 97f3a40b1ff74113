"""The page of items: search by words, by a picture or both, filters, and pictures in a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client import Request as SearchRequest
from recsys_client.errors import InvalidRequestError, NotFoundError, RecsysError
from recsys_console.faults import show_fault
from recsys_console.pages.items.search import PAGE_SIZE, Search
from recsys_console.rendering.formats import number
from recsys_console.rendering.responses import redirect, respond, wants_json
from recsys_console.security.requests import CurrentSession
from recsys_console.security.sessions import Session
from recsys_console.service.connection import Service
from recsys_console.service.faults import Fault, fault_of

router = APIRouter()
SHOWN = {"request_invalid", "not_found", "unknown_id", "config_invalid"}
"""Errors of a search that the page shows in the position of the items."""


@dataclass(frozen=True)
class ItemCard:
    """An item in the grid.

    Attributes:
        id: Id.
        title: Title, or "".
        score: Score of the search; None where the catalogue is browsed.
        parts: Score in each space, where several were searched.
        note: Values of some attributes.
    """

    id: str
    title: str
    score: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict, hash=False)
    note: str = ""


@dataclass(frozen=True)
class Items:
    """The view model of the page of items.

    Attributes:
        search: The search.
        spaces: Names of the spaces that can be searched, by the parts of a query that they read.
        items: Items of the page.
        first: Number of the first item of the page, from 1.
        total: Number of items that the filters allow; None where a search ranks them.
        space: Spaces that were searched; "" where the catalogue is browsed.
        notes: What had no effect, and why there are few items.
        previous: Address of the page before, or "".
        next: Address of the next page, or "".
        fault: Reason why there are no items, or None.
        can_add: Whether items can be added.
    """

    search: Search
    spaces: tuple[tuple[str, tuple[str, ...]], ...] = ()
    items: tuple[ItemCard, ...] = ()
    first: int = 1
    total: int | None = None
    space: str = ""
    notes: tuple[str, ...] = ()
    previous: str = ""
    next: str = ""
    fault: Fault | None = None
    can_add: bool = True

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The active filters, each with the address of the page without it."""
        search = self.search
        found = [
            (each.label, search.address(**dict.fromkeys(each.parameters, "")))
            for each in search.fields
            if each.label
        ]
        return found + ([(search.filter, search.address(filter=""))] if search.filter else [])


async def list_items(
    service: AsyncRecsysClient, session: Session, parameters: Mapping[str, str]
) -> Items:
    """The items that the parameters of a page search for."""
    description = await service.describe()
    search = Search.of(parameters, description)
    spaces = tuple((each.name, each.reads) for each in description.spaces)
    view = Items(search, spaces, can_add=not description.fixed_catalogue_reason)
    try:
        if search.is_ranked:
            return await _ranked(service, view, search.request(description, session))
        return await _browsed(service, view)
    except RecsysError as error:
        if error.code not in SHOWN:
            raise
        return replace(view, fault=fault_of(error))


async def _ranked(service: AsyncRecsysClient, view: Items, request: SearchRequest) -> Items:
    search, response = view.search, await service.respond(request)
    start = (search.page - 1) * PAGE_SIZE
    found = list(response.candidates[start : start + PAGE_SIZE])
    cards = [ItemCard(each.id, each.title or "", each.score, each.parts) for each in found]
    more = len(response.candidates) > start + PAGE_SIZE
    return replace(
        view,
        items=tuple(cards),
        first=start + 1,
        space=request.space,
        notes=tuple(note for note in response.notes if note != response.short),
        previous=search.address(page=str(search.page - 1)) if search.page > 1 else "",
        next=search.address(page=str(search.page + 1)) if more else "",
    )


async def _browsed(service: AsyncRecsysClient, view: Items) -> Items:
    search = view.search
    page = await service.list_items(
        filter=search.predicate(), page_size=PAGE_SIZE, page_token=search.token
    )
    items, token = [each.item for each in page.items], page.next_page_token
    cards = [ItemCard(each.item_id, each.title, note=_note(each.attributes)) for each in items]
    return replace(
        view,
        items=tuple(cards),
        first=(search.page - 1) * PAGE_SIZE + 1,
        total=page.total,
        previous=_before(search, page.previous_page_token),
        next=search.address(token=token, page=str(search.page + 1)) if token else "",
    )


def _before(search: Search, token: str) -> str:
    """Address of the page of the catalogue before that of a search, whose token is given."""
    if not token:
        return ""
    page = max(search.page - 1, 1)
    return search.address(token=token, page=str(page)) if page > 1 else search.address()


def _note(values: Mapping[str, object]) -> str:
    """The first two attributes of an item."""
    texts = []
    for value in list(values.values())[:2]:
        if isinstance(value, tuple):
            texts.append(", ".join(value))
        elif isinstance(value, float | int) and not isinstance(value, bool):
            texts.append(number(value))
        else:
            texts.append(str(value))
    return " · ".join(texts)


@router.get("/items")
async def show(request: Request, service: Service, session: CurrentSession) -> Response:
    """Show the items of a search."""
    view = await list_items(service, session, dict(request.query_params))
    if view.fault is not None and wants_json(request):
        return show_fault(request, view.fault)
    return respond(request, "items/list.html", view, block="results")


@router.get("/items/picture")
async def dropped_picture(session: CurrentSession, key: str) -> Response:
    """The picture of a search, for the browser that dropped it."""
    content = session.values.get(key)
    if not isinstance(content, bytes):
        raise NotFoundError("the picture of this search is no longer here; drop it again")
    kinds = {b"\x89P": "image/png", b"\xff\xd8": "image/jpeg", b"GI": "image/gif"}
    kind = kinds.get(content[:2], "image/webp" if content[8:12] == b"WEBP" else "image/bmp")
    return Response(content, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})


@router.post("/items/picture")
async def drop_picture(
    request: Request,
    service: Service,
    session: CurrentSession,
    picture: Annotated[UploadFile, File()],
    search: Annotated[str, Form()] = "",
) -> Response:
    """Search with a picture, and with the words and filters of the query string ``search``."""
    content = await picture.read()
    most = (await service.describe()).limits.get("image", 2 * 2**20)
    if not content or len(content) > most:
        raise InvalidRequestError(
            f"a picture has 1 to {most:,} bytes; got {len(content):,}: choose a smaller one",
            field="picture",
        )
    kept = {name: value for name, value in parse_qsl(search.lstrip("?"))}
    kept = {name: value for name, value in kept.items() if name not in {"page", "token", "space"}}
    return redirect(request, f"/items?{urlencode({**kept, 'picture': session.remember(content)})}")
