"""The headers of every response, and the cookie of a new session."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recsys_console.security.sessions import COOKIE, Session

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob:",  # the preview of a dropped picture
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_AGAIN = (
    '<!doctype html><title>recsys console</title><meta http-equiv="refresh" content="0">'
    '<p><a href="">Open the console</a>'
)
"""A page that loads itself again: then the request comes from this site, with the cookie."""


class SecureResponses:
    """An ASGI application whose responses carry the headers, and the cookie of their session.

    Args:
        application: Application that answers.
        secure: Whether browsers send the cookie by HTTPS only.
    """

    def __init__(self, application: ASGIApp, *, secure: bool) -> None:
        self._application = application
        self._attributes = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
                self._add_cookie(scope, headers)
            await send(message)

        arrived = _is_from_another_site(scope)
        answer = HTMLResponse(_AGAIN) if arrived else self._application
        await answer(scope, receive, send_with_headers)

    def _add_cookie(self, scope: Scope, headers: MutableHeaders) -> None:
        session: Session | None = scope.get("state", {}).get("session")
        sent = f"{COOKIE}={session.id}" if session is not None else ""
        received = [
            value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"
        ]
        if sent and not any(sent in each for each in received):
            headers.append("Set-Cookie", sent + self._attributes)


def _is_from_another_site(scope: Scope) -> bool:
    """Whether a link of another site led here, for which browsers leave out a strict cookie."""
    headers = dict(scope["headers"])
    return (
        headers.get(b"sec-fetch-site") == b"cross-site"
        and headers.get(b"sec-fetch-mode") == b"navigate"
        and b"cookie" not in headers
    )
