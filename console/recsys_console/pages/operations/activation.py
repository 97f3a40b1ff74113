"""Changes of the bundle that answers, each after a confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from recsys_client.records import new_key
from recsys_console.rendering.responses import redirect, respond
from recsys_console.security.sessions import Toast
from recsys_console.service.connection import Service

router = APIRouter()
LOADING_SECONDS = 300.0
"""Seconds that loading a bundle may take."""
Action = Literal["activate", "canary", "end-canary", "rollback", "revoke"]


@dataclass(frozen=True)
class Confirmation:
    """The view model of a confirmation.

    Attributes:
        title: Question.
        text: What happens.
        button: Text of the button.
        path: Address that the form posts to.
        fields: Name and value of its hidden fields.
        has_share: Whether the form has a field for a share of the users.
        is_final: Whether it cannot be undone.
    """

    title: str
    text: str
    button: str
    path: str
    fields: tuple[tuple[str, str], ...]
    has_share: bool = False
    is_final: bool = False


def confirmation(action: Action, name: str) -> Confirmation:
    """The confirmation of an action on a bundle or a token.

    Example:
        >>> confirmation("activate", "v2").path
        '/operations/activate'
    """
    key = ("key", new_key())
    version = ("version", name)
    if action == "activate":
        text = "It is loaded first. If it cannot be served, the active bundle remains."
        return Confirmation(
            f"Let {name} answer?", text, "Activate", "/operations/activate", (version, key)
        )
    if action == "canary":
        text = f"{name} answers a share of the users; the others keep the active bundle."
        return Confirmation(
            "Start a canary?", text, "Start", "/operations/canary", (version, key), has_share=True
        )
    if action == "end-canary":
        text = "The active bundle answers all users."
        fields = (("version", ""), ("share", "0"), key)
        return Confirmation("End the canary?", text, "End it", "/operations/canary", fields)
    if action == "rollback":
        text = "The bundle that was active before answers again."
        return Confirmation("Roll back?", text, "Roll back", "/operations/rollback", (key,))
    text = "Every worker refuses it within about a second. Its callers need another one."
    return Confirmation(
        f"Revoke the token {name}?",
        text,
        "Revoke",
        "/operations/tokens/revoke",
        (("name", name),),
        is_final=True,
    )


@router.get("/operations/confirm")
async def confirm(request: Request, action: Action, name: str = "") -> Response:
    """Show the confirmation of an action."""
    view = confirmation(action, name)
    return respond(request, "operations/confirm.html", view, block="question")


@router.post("/operations/activate")
async def activate(
    request: Request,
    service: Service,
    version: Annotated[str, Form()],
    key: Annotated[str, Form()] = "",
) -> Response:
    """Let a bundle answer."""
    change = await service.with_timeout(LOADING_SECONDS).activate_bundle(
        version, idempotency_key=key or None
    )
    return redirect(
        request, "/operations", toast=_changed(change.bundle.version, change.previous_version)
    )


@router.post("/operations/rollback")
async def roll_back(
    request: Request, service: Service, key: Annotated[str, Form()] = ""
) -> Response:
    """Let the bundle answer that was active before."""
    change = await service.with_timeout(LOADING_SECONDS).rollback_bundle(
        idempotency_key=key or None
    )
    return redirect(
        request, "/operations", toast=_changed(change.bundle.version, change.previous_version)
    )


@router.post("/operations/canary")
async def set_canary(
    request: Request,
    service: Service,
    version: Annotated[str, Form()] = "",
    share: Annotated[float, Form()] = 0.0,
    key: Annotated[str, Form()] = "",
) -> Response:
    """Let a bundle answer a share of the users; an empty version ends it."""
    await service.with_timeout(LOADING_SECONDS).set_canary(
        version, share / 100, idempotency_key=key or None
    )
    text = f"{version} answers {share:g}% of the users." if version else "The canary has ended."
    return redirect(request, "/operations", toast=Toast(text))


def _changed(version: str, previous: str) -> Toast:
    if not previous or previous == version:
        return Toast(f"{version} answers.")
    return Toast(
        f"{version} answers.", undo="/operations/activate", values=(("version", previous),)
    )
