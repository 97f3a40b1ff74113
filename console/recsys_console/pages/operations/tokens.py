"""The tokens of the service: their scopes, new ones, and revoking."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.errors import InvalidRequestError, PermissionDeniedError
from recsys_client.records import TokenRecord
from recsys_console.pages.operations.rights import lacking
from recsys_console.rendering.responses import redirect, respond
from recsys_console.security.requests import CurrentSession
from recsys_console.security.sessions import Toast
from recsys_console.service.connection import Service

router = APIRouter()
SCOPES = (
    ("read", "search, feeds, items, histories, state of the service"),
    ("write", "record interactions, change items, delete users"),
    ("admin", "bundles, tokens, configuration"),
)


@dataclass(frozen=True)
class Tokens:
    """The view model of the page of tokens.

    Attributes:
        tokens: Tokens.
        scopes: Scopes of a new token, with their meaning.
        available: Whether the service has tokens.
        lacks: Reason why the token of the session may not see them, or "".
        created: Token that was just created, or None.
        secret: Its secret, which is shown once.
    """

    tokens: tuple[TokenRecord, ...]
    scopes: tuple[tuple[str, str], ...] = SCOPES
    available: bool = True
    lacks: str = ""
    created: TokenRecord | None = None
    secret: str = field(default="", repr=False)


async def list_tokens(service: AsyncRecsysClient) -> Tokens:
    """The tokens of a service; without the call, which would fail, where it has none."""
    with suppress(PermissionDeniedError):  # a token that may not read the state
        if (await service.get_status()).caller is None:
            return Tokens((), available=False)
    return Tokens(tuple(await service.list_tokens()))


@router.get("/operations/tokens")
async def show(request: Request, service: Service, session: CurrentSession) -> Response:
    """Show the tokens."""
    lacks = lacking(session, "operations", "admin")
    view = Tokens((), lacks=lacks) if lacks else await list_tokens(service)
    return respond(request, "operations/tokens.html", view)


@router.post("/operations/tokens")
async def create(
    request: Request,
    service: Service,
    name: Annotated[str, Form()] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    further: Annotated[str, Form()] = "",
    expires: Annotated[str, Form()] = "",
    rate: Annotated[str, Form()] = "",
) -> Response:
    """Create a token, and show its secret once."""
    given = [*(scopes or []), *further.replace(",", " ").split()]
    made = await service.create_token(
        name.strip(), given, expires_at=_expiry(expires.strip()), rate=rate.strip()
    )
    view = await list_tokens(service)
    view = replace(view, created=made.token, secret=made.secret)
    return respond(request, "operations/tokens.html", view)


@router.post("/operations/tokens/revoke")
async def revoke(request: Request, service: Service, name: Annotated[str, Form()]) -> Response:
    """Revoke a token."""
    await service.revoke_token(name)
    return redirect(request, "/operations/tokens", toast=Toast(f"The token {name} was revoked."))


def _expiry(day: str) -> int | None:
    """The end of a day in UTC, in seconds since 1970; None for never."""
    if not day:
        return None
    try:
        begins = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except ValueError:
        raise InvalidRequestError(
            f"the day of expiry must be like 2030-12-31; got {day!r:.40}", field="expires"
        ) from None
    return int(begins.timestamp()) + 86_400
