"""Signing in with a token of the service, and signing out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.errors import PermissionDeniedError, UnauthenticatedError
from recsys_console.pages.addresses import own_address
from recsys_console.rendering.responses import redirect, respond
from recsys_console.security.requests import CurrentSession
from recsys_console.security.sessions import Sessions, Toast

router = APIRouter()


@dataclass(frozen=True)
class SignIn:
    """The view model of the page to sign in.

    Attributes:
        next: Address to go to afterwards.
        fault: Reason why a token was refused, or "".
    """

    next: str
    fault: str = ""


@router.get("/sign-in")
async def show(request: Request, next: str = "/") -> Response:
    """Show the form."""
    return respond(request, "sign_in.html", SignIn(own_address(next)))


@router.post("/sign-in")
async def sign_in(
    request: Request,
    session: CurrentSession,
    token: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Begin a session with a token, which the service must know."""
    client: AsyncRecsysClient = request.app.state.console.client
    address = own_address(next)
    token = token.strip()
    if not token.isascii() or not token.isprintable() or not token:
        return _refused(request, address, "Enter a token, as `recsys token create` printed it.")
    caller = None
    try:
        caller = (await client.with_token(token).get_status()).caller
    except UnauthenticatedError:
        fault = "The service does not know this token, or it has expired or was revoked."
        return _refused(request, address, fault)
    except PermissionDeniedError:
        pass  # a token for other calls
    sessions: Sessions = request.app.state.console.sessions
    sessions.end(session)  # an id from before signing in must not become a signed-in one
    request.state.session = sessions.begin(token)
    request.state.session.caller = caller
    return redirect(request, address)


@router.post("/sign-out")
async def sign_out(request: Request, session: CurrentSession) -> Response:
    """End the session; its token is forgotten."""
    sessions: Sessions = request.app.state.console.sessions
    sessions.end(session)
    request.state.session = sessions.begin()
    return redirect(request, "/sign-in", toast=Toast("You are signed out."))


def _refused(request: Request, address: str, fault: str) -> Response:
    return respond(request, "sign_in.html", SignIn(address, fault), status=401)
