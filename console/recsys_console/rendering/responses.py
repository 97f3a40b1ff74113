"""A view model as a page, as a part of a page for htmx, or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from jinja2 import Environment
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from recsys_console.rendering.plain import plain
from recsys_console.security.requests import bearer_token, session_of
from recsys_console.security.sessions import Toast

THEMES = ("light", "dark")


def wants_json(request: Request) -> bool:
    """Whether a request wants data instead of a page."""
    wanted = request.query_params.get("format")
    accepted = request.headers.get("accept", "")
    return wanted == "json" or (
        wanted is None and "application/json" in accepted and "text/html" not in accepted
    )


def is_partial(request: Request) -> bool:
    """Whether htmx requests a part of the page."""
    return request.headers.get("hx-request-type") == "partial"


def respond(
    request: Request,
    template: str,
    view: Any,
    *,
    block: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that shows a view model.

    Args:
        request: The request.
        template: Name of the template, in which the view model is ``view``.
        view: View model, a frozen dataclass.
        block: Block of the template that answers a request of htmx; "" for the whole page.
        status: HTTP status.
        headers: Further headers.
    """
    further = {"Vary": "Accept, HX-Request-Type", **(headers or {})}
    if wants_json(request):
        return JSONResponse(plain(view), status, further)
    environment: Environment = request.app.state.console.environment
    source = environment.get_template(template)
    context = _context(request, view)
    if block and is_partial(request):
        text = "".join(source.blocks[block](source.new_context(context)))
    else:
        text = source.render(context)
    return HTMLResponse(text, status, further)


def redirect(request: Request, address: str, *, toast: Toast | None = None) -> Response:
    """The response that leads to another page after an action, which shows the toast."""
    if wants_json(request):
        return JSONResponse({"location": address, "message": toast.text if toast else ""})
    if toast is not None:
        session_of(request).toasts.append(toast)
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def toast_response(request: Request, toast: Toast, *, status: int = 200) -> Response:
    """The response of an action of htmx that changes nothing on the page but shows a toast."""
    environment: Environment = request.app.state.console.environment
    text = environment.get_template("parts/toast.html").render(
        toast=toast, csrf=session_of(request).csrf
    )
    headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
    return HTMLResponse(text, status, headers)


def _context(request: Request, view: Any) -> dict[str, Any]:
    session = session_of(request) if bearer_token(request) is None else None
    toasts: list[Toast] = []
    if session is not None and not is_partial(request):
        toasts, session.toasts = session.toasts, []
    theme = request.cookies.get("theme", "")
    return {
        "view": view,
        "request": request,
        "path": request.url.path,
        "theme": theme if theme in THEMES else "",
        "csrf": session.csrf if session is not None else "",
        "caller": session.caller if session is not None else None,
        "may": session.may if session is not None else _may_all,
        "signed_in": session is not None and session.token is not None,
        "toasts": toasts,
    }


def _may_all(service: str, scope: str) -> bool:
    """Programs find out from the answer."""
    return True
