"""Users: choose one by id."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.errors import PermissionDeniedError
from recsys_client.records import UserActivity
from recsys_console.pages.people import user, why
from recsys_console.pages.people.answers import HISTORIES
from recsys_console.rendering.formats import user_href
from recsys_console.rendering.responses import redirect, respond
from recsys_console.service.connection import Service

router = APIRouter()
router.include_router(user.router)
router.include_router(why.router)
RECENT = 60
"""Number of users that are listed."""


@dataclass(frozen=True)
class Users:
    """The view model of the page that chooses a user.

    Attributes:
        users: Number of users with a history.
        recent: Users who were active last; None where the token may not list users, or the service
            has no store.
    """

    users: int
    recent: tuple[UserActivity, ...] | None


async def users(service: AsyncRecsysClient) -> Users:
    """The page that chooses a user."""
    description = await service.describe()
    if HISTORIES not in description.services:
        return Users(description.users, None)
    try:
        recent = await service.list_recent_users(limit=RECENT)
    except PermissionDeniedError:  # other tokens open users by their ids
        return Users(description.users, None)
    return Users(description.users, tuple(recent))


@router.get("/users")
async def show(request: Request, service: Service, id: str = "") -> Response:
    """Show the page, or the user of an id."""
    if id.strip():
        return redirect(request, user_href(id.strip()))
    return respond(request, "people/users.html", await users(service))
