"""Adds, changes and deletes items, and undoes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from recsys_client import AsyncRecsysClient, Item
from recsys_client.errors import InvalidRequestError, NotFoundError
from recsys_client.records import CatalogItem, new_key
from recsys_console.pages.items.attributes import attributes_of
from recsys_console.pages.items.item import find_item
from recsys_console.rendering.formats import item_href
from recsys_console.rendering.responses import redirect
from recsys_console.security.requests import CurrentSession
from recsys_console.security.sessions import Session, Toast
from recsys_console.service.connection import Service

router = APIRouter()
LARGEST_THUMBNAIL = 512


@dataclass(frozen=True)
class Undo:
    """A write that undoes another one.

    Attributes:
        item_id: Id of the item.
        item: Item as it was before; None where it was not in the catalogue.
        key: Idempotency key, so that undoing twice writes once.
    """

    item_id: str
    item: Item | None
    key: str


@router.post("/items/save")
async def save(request: Request, service: Service, session: CurrentSession) -> Response:
    """Add an item, or replace it by the values of the form."""
    form = await request.form()
    item_id, key = _text(form, "id"), _text(form, "key") or new_key()
    if _text(form, "new"):
        await _refuse_existing(service, item_id)
        before, present = None, Item(item_id)
    else:
        before = await find_item(service, item_id, thumbnail_size=LARGEST_THUMBNAIL)
        present = before.item
    columns = (await service.describe()).columns
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    picture = await _picture(form)
    keeps = picture is None and before is not None and not _text(form, "remove_picture")
    item = Item(
        item_id,
        _text(form, "title").strip(),
        _text(form, "text").strip(),
        attributes_of(texts, columns, present.attributes),
        picture=picture,
        picture_of=item_id if keeps and before and before.thumbnail else None,
    )
    await service.upsert_items([item], idempotency_key=key)
    toast = _toast(session, before, item_id, "saved" if before else "added", keeps=keeps)
    return redirect(request, item_href(item_id), toast=toast)


@router.post("/items/delete")
async def delete(
    request: Request,
    service: Service,
    session: CurrentSession,
    id: Annotated[str, Form()],
    key: Annotated[str, Form()] = "",
) -> Response:
    """Delete an item."""
    before = await find_item(service, id, thumbnail_size=LARGEST_THUMBNAIL)
    await service.delete_items([id], idempotency_key=key or new_key())
    return redirect(request, "/items", toast=_toast(session, before, id, "deleted", keeps=False))


@router.post("/items/undo")
async def undo(
    request: Request, service: Service, session: CurrentSession, action: Annotated[str, Form()]
) -> Response:
    """Undo one of the last changes of this session."""
    found = session.values.pop(action, None)
    if not isinstance(found, Undo):
        raise NotFoundError("this change can no longer be undone; edit the item instead")
    try:
        if found.item is None:
            await service.delete_items([found.item_id], idempotency_key=found.key)
            return redirect(request, "/items", toast=Toast(f"{found.item_id} was removed again."))
        await service.upsert_items([found.item], idempotency_key=found.key)
    except BaseException:
        session.values[action] = found  # it can be tried again
        raise
    return redirect(request, item_href(found.item_id), toast=Toast("The change was undone."))


async def _refuse_existing(service: AsyncRecsysClient, item_id: str) -> None:
    if not item_id.strip():
        raise InvalidRequestError("an item needs an id", field="id")
    if (await service.get_items([item_id])).items:
        raise InvalidRequestError(
            f"there is an item {item_id!r:.80}; choose another id, or edit that item", field="id"
        )


def _toast(
    session: Session, before: CatalogItem | None, item_id: str, done: str, *, keeps: bool
) -> Toast:
    """The message about a change, with the way to undo it.

    The catalogue shows pictures as thumbnails only, so that one which is no longer there comes back
    at most 512 pixels large.
    """
    item = None
    if before is not None:
        own = item_id if keeps and before.thumbnail else None
        item = replace(before.item, picture_of=own, picture=None if keeps else before.thumbnail)
    action = session.remember(Undo(item_id, item, new_key()))
    return Toast(f"{item_id} was {done}.", undo="/items/undo", values=(("action", action),))


async def _picture(form: FormData) -> bytes | None:
    upload = form.get("picture")
    return (await upload.read() or None) if isinstance(upload, UploadFile) else None


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
