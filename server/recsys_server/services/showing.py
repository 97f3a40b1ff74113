"""Items as messages, and the pages of a catalogue."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from recsys.errors import DataError, InvalidRequestError
from recsys.ids import Rows
from recsys.live import LiveEngine, Snapshot
from recsys.pictures.decoding import Broken
from recsys.pictures.isolation import Decoder
from recsys_client.filters import Filter
from recsys_client.operations.catalog import write_item
from recsys_client.pb.recsys.v1 import catalog_pb2 as pb
from recsys_client.records.items import Item

MIN_SIDE, MAX_SIDE = 16, 512
"""Smallest and largest size of a thumbnail in pixels."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Items of a snapshot as messages.

    Attributes:
        live: Engine that reads the pictures.
        snapshot: State that is shown.
        side: Largest width and height of thumbnails in pixels; 0 for none.
        decoder: Decoder of the pictures.

    Raises:
        InvalidRequestError: The size is out of range.
    """

    live: LiveEngine
    snapshot: Snapshot
    side: int
    decoder: Decoder

    def __post_init__(self) -> None:
        if self.side and not MIN_SIDE <= self.side <= MAX_SIDE:
            raise InvalidRequestError(
                f"thumbnail_size must be from {MIN_SIDE} to {MAX_SIDE}, or 0 for none; got "
                f"{self.side:,}",
                field="thumbnail_size",
            )

    def item(self, row: int) -> pb.CatalogItem:
        """The message of the item of a row."""
        found = self.snapshot.catalogue.item_at(row)
        item = Item(found.item_id, found.title, found.text, found.attributes)
        spaces = self.snapshot.spaces.items()
        return pb.CatalogItem(
            item=write_item(item),
            thumbnail=self._thumbnail(found.item_id) if self.side else None,
            spaces=[name for name, space in spaces if row < len(space) and space.mask[row]],
        )

    def _thumbnail(self, item_id: str) -> bytes | None:
        content = self._picture(item_id)
        small = None if content is None else self.decoder.thumbnail(content, self.side)
        return None if isinstance(small, Broken) else small

    def _picture(self, item_id: str) -> bytes | None:
        try:
            return self.live.picture(item_id)
        except DataError:  # the file is damaged or has an odd name: the item is shown without it
            return None


def rows_of(snapshot: Snapshot, filter: Filter | None) -> Rows:
    """Rows of the items that a filter allows, ascending."""
    return snapshot.catalogue.rows if filter is None else snapshot.columns.rows(filter).rows


def token_at(row: int, version: str) -> str:
    """The token of the page that begins with a row, or with the next one that the filter allows."""
    return base64.urlsafe_b64encode(f"{row}:{version}".encode()).decode()


def start_of(token: str, version: str) -> int:
    """First row of the page of a token.

    Raises:
        InvalidRequestError: It is no token, or one of another bundle.
    """
    if not token:
        return 0
    try:
        row, _, of = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        start = min(int(row), 2**31)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError(
            "page_token must be the next_page_token or the previous_page_token of a page, or empty",
            field="page_token",
        ) from error
    if of != version:
        raise InvalidRequestError(
            f"page_token is of the bundle {of!r:.80}, and {version!r:.80} answers now; begin with"
            " the first page again",
            field="page_token",
        )
    return start
