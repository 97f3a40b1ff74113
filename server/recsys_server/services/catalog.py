"""``recsys.v1.CatalogService``: adds, replaces, deletes and shows items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from recsys.errors import InvalidRequestError
from recsys.live import LiveEngine, Snapshot
from recsys.pictures.dimensions import pixel_count
from recsys.pictures.isolation import Decoder
from recsys.store import ItemDeleted, ItemUpserted
from recsys_client.checks import checked_ids
from recsys_client.filters.messages import read_filter
from recsys_client.operations.catalog import SERVICE, read_attributes
from recsys_client.pb.recsys.v1 import catalog_pb2 as pb
from recsys_client.pb.recsys.v1.catalog_pb2_grpc import (
    CatalogServiceServicer,
    add_CatalogServiceServicer_to_server,
)
from recsys_server.limits import Limits
from recsys_server.messages import ParsedMessages
from recsys_server.rollout import Rollout
from recsys_server.services.blocking import BlockingCalls, Caller
from recsys_server.services.showing import Shown, rows_of, start_of, token_at
from recsys_server.services.writing import at, check_count, live_engine, write

SERVICE_NAME = SERVICE.strip("/")
MAX_ITEMS = 1_000
"""Largest number of items of a call."""
MAX_TEXT, MAX_TITLE, MAX_ATTRIBUTES = 100_000, 1_000, 1_000


class CatalogService(CatalogServiceServicer):
    """Writes to the store of the active bundle, and reads its snapshot.

    Args:
        rollout: The bundles that answer.
        calls: Threads in which calls run.
        limits: The largest pictures and filters that are read.
        item_calls: Threads of calls that encode items or decode pictures.
        decoder: Decoder of thumbnails.
    """

    def __init__(
        self,
        rollout: Rollout,
        calls: BlockingCalls,
        limits: Limits,
        *,
        item_calls: BlockingCalls,
        decoder: Decoder,
    ) -> None:
        self._rollout = rollout
        self._calls = calls
        self._limits = limits
        self._item_calls = item_calls
        self._decoder = decoder

    def add_to(self, server: Any) -> None:
        """Register the calls."""
        parsed: Any = ParsedMessages(server)
        add_CatalogServiceServicer_to_server(self, parsed)

    async def UpsertItems(
        self, request: pb.UpsertItemsRequest, context: Any
    ) -> pb.UpsertItemsResponse:
        """Add or replace items, all or none."""
        size = request.ByteSize()
        return await self._item_calls.run(context, lambda: self._upsert(request), size=size)

    async def DeleteItems(
        self, request: pb.DeleteItemsRequest, context: Any
    ) -> pb.DeleteItemsResponse:
        """Delete items; unknown ids are named."""
        size = request.ByteSize()
        return await self._item_calls.run(context, lambda: self._delete(request), size=size)

    async def GetItems(self, request: pb.GetItemsRequest, context: Any) -> pb.GetItemsResponse:
        """Items by their ids."""
        calls = self._item_calls if request.thumbnail_size else self._calls
        return await calls.run_watched(context, lambda caller: self._get(request, caller))

    async def ListItems(self, request: pb.ListItemsRequest, context: Any) -> pb.ListItemsResponse:
        """A page of the items that a filter allows."""
        calls = self._item_calls if request.thumbnail_size else self._calls
        return await calls.run_watched(context, lambda caller: self._list(request, caller))

    def _upsert(self, request: pb.UpsertItemsRequest) -> pb.UpsertItemsResponse:
        check_count(len(request.items), MAX_ITEMS, noun="items", field="items")
        live, changes = live_engine(self._rollout), list[ItemUpserted]()
        seen, pixels = set[str](), 0
        for position, message in enumerate(request.items):
            with at(f"items[{position}]"):
                if message.item_id in seen:
                    raise InvalidRequestError(
                        f"item {message.item_id!r:.80} is there twice", field="item_id"
                    )
                seen.add(message.item_id)
                change = self._change(message, live)
                pixels += pixel_count(change.picture or b"") or 0
                live.check([change])
                changes.append(change)
        if pixels > self._limits.batch_pixels:
            raise InvalidRequestError(
                f"the pictures of the items have {pixels:,} pixels; at most "
                f"{self._limits.batch_pixels:,} are read in one call",
                field="items",
            )
        receipt = write(self._rollout, changes, request.idempotency_key)
        return pb.UpsertItemsResponse(
            watermark=receipt.watermark,
            repeated_write=receipt.repeated,
            bundle_version=self._rollout.current.active.version,
        )

    def _change(self, message: pb.Item, live: LiveEngine) -> ItemUpserted:
        for field, most in (("title", MAX_TITLE), ("text", MAX_TEXT)):
            length = len(getattr(message, field))
            if length > most:
                raise InvalidRequestError(
                    f"{field} has {length:,} characters; at most {most:,} are read", field=field
                )
        if len(message.attributes) > MAX_ATTRIBUTES:
            raise InvalidRequestError(
                f"attributes has {len(message.attributes):,} columns; at most {MAX_ATTRIBUTES:,}"
                " are read",
                field="attributes",
            )
        return ItemUpserted(
            message.item_id,
            message.title,
            message.text,
            read_attributes(message.attributes),
            self._picture(message, live),
            {name: np.array(vector.values, np.float32) for name, vector in message.vectors.items()}
            or None,
        )

    def _picture(self, message: pb.Item, live: LiveEngine) -> bytes | None:
        given = message.WhichOneof("picture")
        if given is None:
            return None
        if given == "picture_of":
            picture = live.picture(message.picture_of)
            if picture is None:
                raise InvalidRequestError(
                    f"item {message.picture_of!r:.80} has no picture; send the bytes of one",
                    field="picture_of",
                )
            return picture
        picture, most = message.picture_bytes, self._limits.image
        pixels = pixel_count(picture) or 0
        if len(picture) > most or pixels > self._limits.pixels:
            raise InvalidRequestError(
                f"the picture has {len(picture):,} bytes and {pixels:,} pixels; at most {most:,} "
                f"bytes and {self._limits.pixels:,} pixels are read",
                field="picture_bytes",
            )
        return picture

    def _delete(self, request: pb.DeleteItemsRequest) -> pb.DeleteItemsResponse:
        check_count(len(request.item_ids), MAX_ITEMS, noun="ids", field="item_ids")
        changes = []
        for position, item_id in enumerate(dict.fromkeys(request.item_ids)):
            with at(f"item_ids[{position}]"):
                changes.append(ItemDeleted(item_id))
        known = live_engine(self._rollout).latest().catalogue.ids
        unknown = [each.item_id for each in changes if each.item_id not in known]
        receipt = write(self._rollout, changes, request.idempotency_key)
        return pb.DeleteItemsResponse(
            watermark=receipt.watermark,
            repeated_write=receipt.repeated,
            bundle_version=self._rollout.current.active.version,
            unknown_item_ids=() if receipt.repeated else unknown,
        )

    def _get(self, request: pb.GetItemsRequest, caller: Caller) -> pb.GetItemsResponse:
        check_count(len(request.item_ids), MAX_ITEMS, noun="ids", field="item_ids")
        live = live_engine(self._rollout)
        snapshot = live.latest()
        ids = list(dict.fromkeys(checked_ids("item_ids", tuple(request.item_ids))))
        found = {each: snapshot.catalogue.ids.find(each) for each in ids}
        rows = [row for row in found.values() if row is not None]
        return pb.GetItemsResponse(
            items=self._shown(live, snapshot, request.thumbnail_size, rows, caller),
            unknown_item_ids=[each for each, row in found.items() if row is None],
            watermark=snapshot.watermark,
            bundle_version=self._rollout.current.active.version,
        )

    def _list(self, request: pb.ListItemsRequest, caller: Caller) -> pb.ListItemsResponse:
        live = live_engine(self._rollout)
        snapshot, version = live.latest(), self._rollout.current.active.version
        size = request.page_size or 100
        if not 1 <= size <= MAX_ITEMS:
            raise InvalidRequestError(
                f"page_size must be from 1 to {MAX_ITEMS:,}; got {size:,}", field="page_size"
            )
        predicate = read_filter(request.filter) if request.HasField("filter") else None
        rows = rows_of(snapshot, predicate)
        first = int(np.searchsorted(rows, start_of(request.page_token, version)))
        page = rows[first : first + size].tolist()
        is_last = first + size >= len(rows)
        before = int(rows[max(first - size, 0)]) if first else 0
        return pb.ListItemsResponse(
            items=self._shown(live, snapshot, request.thumbnail_size, page, caller),
            next_page_token="" if is_last else token_at(page[-1] + 1, version),
            previous_page_token=token_at(before, version) if first else "",
            total=len(rows),
            watermark=snapshot.watermark,
            bundle_version=version,
        )

    def _shown(
        self,
        live: LiveEngine,
        snapshot: Snapshot,
        side: int,
        rows: Sequence[int],
        caller: Caller,
    ) -> Iterator[pb.CatalogItem]:
        shown = Shown(live, snapshot, side, self._decoder)
        for row in rows:
            caller.check()
            yield shown.item(row)
