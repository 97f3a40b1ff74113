"""The forms that add, change and delete an item."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.errors import InvalidRequestError
from recsys_client.records import ColumnSummary, new_key
from recsys_console.pages.items.attributes import PREFIX, shown_value
from recsys_console.pages.items.item import find_item
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()


@dataclass(frozen=True)
class AttributeField:
    """The field of one column.

    Attributes:
        name: Name of the field.
        label: Name of the column.
        type: Type of its values.
        value: Value as text, several ones on lines of their own.
        examples: Some values of the column, as the text form of a filter writes them.
    """

    name: str
    label: str
    type: str
    value: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class ItemForm:
    """The view model of the form of an item.

    Attributes:
        id: Id; "" for a new item.
        title: Title.
        text: Further words.
        fields: A field per column of the catalogue.
        has_picture: Whether the item has a picture.
        key: Idempotency key of the form, so that sending it twice changes the item once.
    """

    id: str
    title: str
    text: str
    fields: tuple[AttributeField, ...]
    has_picture: bool
    key: str


@dataclass(frozen=True)
class Deletion:
    """The view model of the page that confirms a deletion.

    Attributes:
        id: Id of the item.
        title: Its title.
        key: Idempotency key of the form.
    """

    id: str
    title: str
    key: str


async def new_item(service: AsyncRecsysClient) -> ItemForm:
    """The form of a new item.

    Raises:
        InvalidRequestError: The bundle encodes no new items.
    """
    description = await service.describe()
    if description.fixed_catalogue_reason:
        raise InvalidRequestError(f"no item can be added: {description.fixed_catalogue_reason}")
    fields = tuple(_field(each, []) for each in description.columns)
    return ItemForm("", "", "", fields, has_picture=False, key=new_key())


async def existing_item(service: AsyncRecsysClient, item_id: str) -> ItemForm:
    """The form of an item with its values.

    Raises:
        UnknownIdError: It is not in the catalogue.
    """
    found, description = await asyncio.gather(
        find_item(service, item_id, thumbnail_size=16), service.describe()
    )
    values = found.item.attributes
    fields = tuple(
        _field(each, shown_value(values[each.name], each.type) if each.name in values else [])
        for each in description.columns
    )
    item = found.item
    return ItemForm(
        item.item_id, item.title, item.text, fields, found.thumbnail is not None, new_key()
    )


def _field(column: ColumnSummary, texts: list[str]) -> AttributeField:
    name = f"{PREFIX}{column.name}"
    return AttributeField(name, column.name, column.type, "\n".join(texts), column.examples)


@router.get("/items/new")
async def show_new(request: Request, service: Service) -> Response:
    """Show the form of a new item."""
    return respond(request, "items/form.html", await new_item(service))


@router.get("/items/edit")
async def show_existing(request: Request, service: Service, id: str) -> Response:
    """Show the form of an item."""
    return respond(request, "items/form.html", await existing_item(service, id))


@router.get("/items/delete")
async def show_deletion(request: Request, service: Service, id: str) -> Response:
    """Show the confirmation of a deletion, for browsers without script."""
    item = (await find_item(service, id)).item
    view = Deletion(item.item_id, item.title, new_key())
    return respond(request, "items/delete.html", view)
