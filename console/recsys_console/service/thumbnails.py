"""Thumbnails of items, fetched together where a page shows several."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from recsys_client import AsyncRecsysClient
from recsys_client.errors import InvalidRequestError

WAIT_SECONDS = 0.002
MOST = 32
"""Largest number of thumbnails per call."""
MAX_ID = 512


@dataclass(eq=False)
class _Batch:
    """Thumbnails that are about to be fetched by one call."""

    waiting: dict[str, list[asyncio.Future[bytes | None]]] = field(default_factory=dict)


class Thumbnails:
    """Thumbnails of items; those requested within two milliseconds are one call of the service.

    Args:
        client: Client of the service, without a token.
    """

    def __init__(self, client: AsyncRecsysClient) -> None:
        self._client = client
        self._batches: dict[tuple[str | None, int], _Batch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, token: str | None, item_id: str, size: int) -> bytes | None:
        """The thumbnail of an item as a JPEG file; None where it has no picture, or is unknown.

        Args:
            token: Token of the user.
            item_id: Id of the item.
            size: Largest width and height in pixels, from 16 to 512.

        Raises:
            InvalidRequestError: The id is empty or too long.
        """
        if not item_id.strip() or len(item_id) > MAX_ID:
            raise InvalidRequestError(f"an id has 1 to {MAX_ID} characters", field="id")
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        batch = self._batches.get((token, size))
        if batch is None or len(batch.waiting) >= MOST:
            batch = self._batches[token, size] = _Batch()
            task = asyncio.create_task(self._fetch(batch, token, size))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        batch.waiting.setdefault(item_id, []).append(future)
        return await future

    async def _fetch(self, batch: _Batch, token: str | None, size: int) -> None:
        await asyncio.sleep(WAIT_SECONDS)
        if self._batches.get((token, size)) is batch:
            del self._batches[token, size]
        try:
            found = await self._client.with_token(token).get_items(
                list(batch.waiting), thumbnail_size=size
            )
        except Exception as error:
            _settle(batch, error)
            return
        _settle(batch, {each.item.item_id: each.thumbnail for each in found.items})


def _settle(batch: _Batch, result: dict[str, bytes | None] | Exception) -> None:
    for item_id, futures in batch.waiting.items():
        for future in futures:
            if future.done():
                continue  # the browser has gone
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result.get(item_id))
