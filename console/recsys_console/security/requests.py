"""What a request proves: its session, its token, and that its form is one of this console."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from recsys_client.errors import PermissionDeniedError
from recsys_console.security.sessions import COOKIE, Session, Sessions

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"


class ForgedFormError(PermissionDeniedError, code="form_expired"):
    """A form of an ended session, or one that another site sent."""


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header, with which programs read pages as JSON."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def session_of(request: Request) -> Session:
    """The session of a request; a new, anonymous one where it has none."""
    session: Session | None = getattr(request.state, "session", None)
    if session is None:
        sessions: Sessions = request.app.state.console.sessions
        session = sessions.find(request.cookies.get(COOKIE, "")) or sessions.begin()
        request.state.session = session
    return session


def token_of(request: Request) -> str | None:
    """The token that calls of the service carry."""
    return bearer_token(request) or session_of(request).token


async def check_form(request: Request) -> AsyncIterator[None]:
    """Refuse a request that changes something unless it carries the secret of its session.

    Requests with an Authorization header need none: no browser adds that header by itself. Files of
    the form are closed after the response.

    Raises:
        ForgedFormError: The secret is missing or wrong, or the request came from another site.
    """
    try:
        if request.method not in SAFE_METHODS and bearer_token(request) is None:
            await _check_secret(request)
        yield
    finally:
        await request.close()


async def _check_secret(request: Request) -> None:
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    given = request.headers.get(CSRF_HEADER)
    if given is None and not foreign:
        form = await request.form()
        given = str(form.get(CSRF_FIELD, ""))
    expected = session_of(request).csrf
    if foreign or not secrets.compare_digest((given or "").encode(), expected.encode()):
        raise ForgedFormError(
            "the form belongs to a session that has ended; nothing was changed: open the page "
            "again and repeat it"
        )


CurrentSession = Annotated[Session, Depends(session_of)]
"""The session of the request, as a parameter of a route."""
