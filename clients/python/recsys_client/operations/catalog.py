"""Operations of ``recsys.v1.CatalogService``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys_client.errors import InvalidRequestError
from recsys_client.filters import Filter, parse_filter
from recsys_client.filters.messages import write_filter
from recsys_client.operations.operation import Operation, made
from recsys_client.pb.recsys.v1 import catalog_pb2 as pb
from recsys_client.records.items import CatalogItem, FoundItems, Item, ItemPage
from recsys_client.records.receipts import WriteReceipt, new_key

SERVICE = "/recsys.v1.CatalogService/"


def upsert(items: Sequence[Item], key: str | None) -> Operation[WriteReceipt]:
    """Add or replace items, all or none."""
    message = made(
        lambda: pb.UpsertItemsRequest(
            items=map(write_item, items), idempotency_key=key or new_key()
        )
    )
    return Operation(SERVICE + "UpsertItems", message, pb.UpsertItemsResponse, _read_receipt)


def delete(item_ids: Sequence[str], key: str | None) -> Operation[WriteReceipt]:
    """Delete items."""
    message = made(
        lambda: pb.DeleteItemsRequest(item_ids=item_ids, idempotency_key=key or new_key())
    )
    return Operation(SERVICE + "DeleteItems", message, pb.DeleteItemsResponse, _read_receipt)


def get(item_ids: Sequence[str], thumbnail_size: int) -> Operation[FoundItems]:
    """Items by their ids."""
    message = made(lambda: pb.GetItemsRequest(item_ids=item_ids, thumbnail_size=thumbnail_size))
    return Operation(SERVICE + "GetItems", message, pb.GetItemsResponse, _read_found)


def list_page(
    filter: Filter | str | None, page_size: int, page_token: str, thumbnail_size: int
) -> Operation[ItemPage]:
    """A page of the items that a filter allows."""
    predicate = parse_filter(filter) if isinstance(filter, str) else filter
    message = made(
        lambda: pb.ListItemsRequest(
            page_size=page_size,
            page_token=page_token,
            filter=None if predicate is None else write_filter(predicate),
            thumbnail_size=thumbnail_size,
        )
    )
    return Operation(SERVICE + "ListItems", message, pb.ListItemsResponse, _read_page)


def write_item(item: Item) -> pb.Item:
    """The message of an item."""
    if item.picture is not None and item.picture_of is not None:
        raise InvalidRequestError(
            f"item {item.item_id!r:.80} has a picture and picture_of; give one", field="picture"
        )
    return pb.Item(
        item_id=item.item_id,
        title=item.title,
        text=item.text,
        attributes={name: _write_value(value) for name, value in item.attributes.items()},
        picture_bytes=item.picture,
        picture_of=item.picture_of,
        vectors={name: pb.Vector(values=values) for name, values in item.vectors.items()},
    )


def read_item(message: pb.Item) -> Item:
    """The item of a message."""
    given = message.WhichOneof("picture")
    return Item(
        message.item_id,
        message.title,
        message.text,
        read_attributes(message.attributes),
        message.picture_bytes if given == "picture_bytes" else None,
        message.picture_of if given == "picture_of" else None,
        {name: tuple(vector.values) for name, vector in message.vectors.items()},
    )


def read_attributes(values: Mapping[str, pb.AttributeValue]) -> dict[str, Any]:
    """The values of attributes by name; several texts are a tuple.

    Raises:
        InvalidRequestError: An attribute has no value.
    """
    read: dict[str, Any] = {}
    for name, value in values.items():
        kind = value.WhichOneof("value")
        if kind is None:
            raise InvalidRequestError(
                f"attribute {name!r:.80} has no value; leave it out where none is known",
                field=f"attributes.{name:.80}",
            )
        read[name] = tuple(value.texts.texts) if kind == "texts" else getattr(value, kind)
    return read


def _write_value(value: Any) -> pb.AttributeValue:
    if isinstance(value, bool):
        return pb.AttributeValue(flag=value)
    if isinstance(value, str):
        return pb.AttributeValue(text=value)
    if isinstance(value, Sequence):
        return pb.AttributeValue(texts=pb.TextList(texts=value))
    return pb.AttributeValue(number=value)


def _read_receipt(message: pb.UpsertItemsResponse | pb.DeleteItemsResponse) -> WriteReceipt:
    return WriteReceipt(
        message.watermark,
        message.repeated_write,
        message.bundle_version,
        tuple(getattr(message, "unknown_item_ids", ())),
    )


def _read_found(message: pb.GetItemsResponse) -> FoundItems:
    return FoundItems(
        tuple(map(_read_catalog_item, message.items)),
        tuple(message.unknown_item_ids),
        message.watermark,
        message.bundle_version,
    )


def _read_page(message: pb.ListItemsResponse) -> ItemPage:
    return ItemPage(
        tuple(map(_read_catalog_item, message.items)),
        message.next_page_token,
        message.total,
        message.watermark,
        message.bundle_version,
        message.previous_page_token,
    )


def _read_catalog_item(message: pb.CatalogItem) -> CatalogItem:
    thumbnail = message.thumbnail if message.HasField("thumbnail") else None
    return CatalogItem(read_item(message.item), thumbnail, tuple(message.spaces))
