"""Pictures of items, for the pages that show them."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from recsys_console.security.requests import token_of
from recsys_console.service.thumbnails import Thumbnails

router = APIRouter()
KEPT_SECONDS = 300
NONE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><g fill="none" stroke="#8b8f9f" '
    b'stroke-opacity=".6" stroke-width="2" stroke-linejoin="round" stroke-linecap="round">'
    b'<rect x="32" y="34" width="32" height="28" rx="3"/>'
    b'<path d="M32 56l9-9 8 8 5-5 10 9M55 43h.01"/></g></svg>'
)
"""The drawing that stands for an item without a picture."""


@router.get("/pictures")
async def picture(
    request: Request, id: str, size: Annotated[int, Query(ge=16, le=512)] = 256
) -> Response:
    """The picture of an item as a JPEG file of at most ``size`` pixels, or a drawing."""
    thumbnails: Thumbnails = request.app.state.console.thumbnails
    found = await thumbnails.get(token_of(request), id, size)
    content, kind = (NONE, "image/svg+xml") if found is None else (found, "image/jpeg")
    headers = {
        "Cache-Control": f"private, max-age={KEPT_SECONDS}",
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"',
        "Vary": "Cookie",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
