"""Items of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Item:
    """An item to add, or to replace entirely.

    Attributes:
        item_id: Id of the item.
        title: Title, or "".
        text: Further words that encoders read, or "".
        attributes: Value of each known column of the catalogue: a text, a number, a truth value or
            several texts.
        picture: Bytes of a picture's file, or None.
        picture_of: Id of an item with a picture, to use the same one; the item's own id keeps its
            picture. None without.
        vectors: Ready vectors by the name of a space; in the other spaces the service computes
            them.

    Example:
        >>> Item("lamp", "Desk lamp", attributes={"price": 20, "tags": ["light"]}).title
        'Desk lamp'
    """

    item_id: str
    title: str = ""
    text: str = ""
    attributes: Mapping[str, str | float | bool | Sequence[str]] = field(
        default_factory=dict, hash=False
    )
    picture: bytes | None = field(default=None, repr=False)
    picture_of: str | None = None
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict, hash=False, repr=False)


@dataclass(frozen=True)
class CatalogItem:
    """An item as the catalogue holds it.

    Attributes:
        item: The item, without its picture and vectors.
        thumbnail: Its picture as a small JPEG file, or None.
        spaces: Names of the spaces in which it has a vector.

    Example:
        >>> CatalogItem(Item("lamp"), spaces=("text",)).item.item_id
        'lamp'
    """

    item: Item
    thumbnail: bytes | None = field(default=None, repr=False)
    spaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundItems:
    """Items by their ids.

    Attributes:
        items: The known items, in the order of the call.
        unknown_item_ids: Ids that are not in the catalogue.
        watermark: Watermark of the state that answered.
        bundle_version: Version of the bundle that answered.

    Example:
        >>> FoundItems((), ("gone",)).unknown_item_ids
        ('gone',)
    """

    items: tuple[CatalogItem, ...]
    unknown_item_ids: tuple[str, ...] = ()
    watermark: int = 0
    bundle_version: str = ""


@dataclass(frozen=True)
class ItemPage:
    """A page of the catalogue.

    Attributes:
        items: Items of the page.
        next_page_token: Token of the next page; "" on the last one.
        total: Number of items that the filter allows.
        watermark: Watermark of the state that answered.
        bundle_version: Version of the bundle that answered.
        previous_page_token: Token of the page before; "" on the first one.

    Example:
        >>> ItemPage((), "", total=0).items
        ()
    """

    items: tuple[CatalogItem, ...]
    next_page_token: str
    total: int
    watermark: int = 0
    bundle_version: str = ""
    previous_page_token: str = ""
