"""Handlers that turn each error into a page, a notice within a page, a toast or JSON."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from recsys_client.errors import InvalidRequestError, NotFoundError, RecsysError
from recsys_console.rendering.responses import is_partial, respond, toast_response, wants_json
from recsys_console.security.headers import HEADERS
from recsys_console.security.requests import SAFE_METHODS
from recsys_console.security.sessions import Toast
from recsys_console.service.faults import Fault, fault_of


def add_handlers(application: FastAPI) -> None:
    """Let an application show every error."""

    @application.exception_handler(RecsysError)
    async def of_service(request: Request, error: RecsysError) -> Response:
        return show_fault(request, fault_of(error))

    @application.exception_handler(RequestValidationError)
    async def of_parameters(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][1:])
        message = f"{name}: {first['msg']}; got {first.get('input')!r:.80}"
        return show_fault(request, fault_of(InvalidRequestError(message, field=name)))

    @application.exception_handler(HTTPException)
    async def of_addresses(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return show_fault(
                request, fault_of(NotFoundError(f"there is no page {request.url.path!r:.200}"))
            )
        title = "This cannot be answered"
        fault = Fault(error.status_code, "request_invalid", title, str(error.detail), "")
        return show_fault(request, fault)

    @application.exception_handler(Exception)
    async def of_console(request: Request, error: Exception) -> Response:
        message = f"an unexpected {type(error).__name__} in the console; its log has the details"
        response = show_fault(request, fault_of(RecsysError(message)))
        response.headers.update(HEADERS)  # it does not pass the middleware that adds them
        return response


def show_fault(request: Request, fault: Fault) -> Response:
    """The response that shows a fault in the form which the request can use."""
    safe = request.method in SAFE_METHODS
    if fault.status == 401 and not wants_json(request):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        address = f"/sign-in?next={quote(target if safe else '/')}"
        if request.headers.get("hx-request") == "true":
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)
    if is_partial(request) and not safe and not wants_json(request):
        return toast_response(
            request, Toast(f"{fault.title}: {fault.message}", "bad"), status=fault.status
        )
    headers = {}
    if fault.retry_seconds:
        headers["Retry-After"] = str(fault.retry_seconds)
        if safe and not is_partial(request) and not wants_json(request):
            headers["Refresh"] = str(fault.retry_seconds)
    return respond(
        request, "fault.html", fault, block="notice", status=fault.status, headers=headers
    )
