"""The users of an item: their number per day, and their ids for administrators."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from recsys_client import AsyncRecsysClient
from recsys_client.errors import PermissionDeniedError
from recsys_client.records import Description, ItemActivity, UserActivity
from recsys_console.pages.people.answers import HISTORIES

USERS = 24
"""Number of users that are listed."""


@dataclass(frozen=True)
class Audience:
    """The interactions of an item.

    Attributes:
        activity: Numbers of interactions and users, and interactions per day.
        users: Users of the latest interactions; None where the token may not list users.
    """

    activity: ItemActivity
    users: tuple[UserActivity, ...] | None

    @property
    def per_day(self) -> list[float]:
        """Interactions of each of the last days, oldest first."""
        return [float(day.interactions) for day in self.activity.days]


async def audience_of(
    service: AsyncRecsysClient, description: Description, item_id: str
) -> Audience | None:
    """The users of an item; None where the service has no store."""
    if HISTORIES not in description.services:
        return None
    activity, users = await asyncio.gather(
        service.get_item_activity(item_id), _users(service, item_id)
    )
    return Audience(activity, users)


async def _users(service: AsyncRecsysClient, item_id: str) -> tuple[UserActivity, ...] | None:
    try:
        return tuple(await service.list_item_users(item_id, limit=USERS))
    except PermissionDeniedError:
        return None
