"""A limit of the bytes that a request may carry."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class LimitedUploads:
    """An ASGI application that reads at most ``limit`` bytes per request.

    Args:
        application: Application that answers; it shows the HTTPException 413 of a larger body.
        limit: Largest number of bytes of a body.
    """

    def __init__(self, application: ASGIApp, *, limit: int) -> None:
        self._application, self._limit = application, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                raise HTTPException(
                    413, f"a form may carry {self._limit:,} bytes at most; send a smaller picture"
                )
            return message

        await self._application(scope, receive_limited, send)
