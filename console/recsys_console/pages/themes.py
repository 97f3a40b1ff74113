"""The switch between light and dark, for browsers without script."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from recsys_console.pages.addresses import own_address
from recsys_console.rendering.responses import THEMES, redirect

router = APIRouter()
YEAR = 365 * 86_400


@router.post("/theme")
async def choose(
    request: Request, theme: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    """Keep the theme in a cookie; any other value follows the system."""
    response = redirect(request, own_address(next))
    if theme in THEMES:
        response.set_cookie("theme", theme, max_age=YEAR, samesite="strict")
    else:
        response.delete_cookie("theme", samesite="strict")
    return response
