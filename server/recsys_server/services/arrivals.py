"""The messages of a stream in groups: whatever has arrived while the last group was answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Generic, TypeVar

M = TypeVar("M")


class Arrivals(Generic[M]):
    """Groups of the messages of a stream, in their order.

    Messages are read ahead until they reach a size, so that a fast caller waits for a slow store.

    Args:
        messages: The stream. An error ends the groups after the messages before it.
        size: Size of a message.
        most: Size from which no further message joins a group, and none is read ahead.

    Example:
        >>> async def lengths(messages: AsyncIterator[str]) -> list[int]:
        ...     return [len(group) async for group in Arrivals(messages, size=len, most=1_000)]
    """

    def __init__(self, messages: AsyncIterator[M], *, size: Callable[[M], int], most: int) -> None:
        self._messages, self._size, self._most = messages, size, most
        self._waiting: list[M] = []
        self._waiting_size = 0
        self._arrived, self._room = asyncio.Event(), asyncio.Event()

    async def __aiter__(self) -> AsyncGenerator[list[M], None]:
        reading = asyncio.ensure_future(self._read())
        reading.add_done_callback(self._ended)
        try:
            while self._waiting or not reading.done():
                await self._arrived.wait()
                self._arrived.clear()
                group, self._waiting, self._waiting_size = self._waiting, [], 0
                self._room.set()
                if group:
                    yield group
            await reading  # its error, if it ended with one
        finally:
            reading.cancel()

    def _ended(self, reading: asyncio.Future[None]) -> None:
        self._arrived.set()
        if not reading.cancelled():
            reading.exception()  # it is not awaited where an earlier message has failed

    async def _read(self) -> None:
        async for message in self._messages:
            while self._waiting_size >= self._most:
                self._room.clear()
                await self._room.wait()
            self._waiting.append(message)
            self._waiting_size += self._size(message)
            self._arrived.set()
