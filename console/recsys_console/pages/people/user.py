"""A user: the history, the recommendations, and what they would be after a change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient, Description, History
from recsys_console.pages.people.answers import HISTORIES, answers
from recsys_console.pages.people.inputs import Inputs, inputs_of
from recsys_console.pages.people.lists import Comparison, ItemList
from recsys_console.rendering.formats import item_href
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()
HISTORY = 1_000
"""Largest number of interactions that are read."""


@dataclass(frozen=True)
class HistoryItem:
    """One interaction of the history.

    Attributes:
        id: Id of the item.
        title: Title, or "".
        time: Seconds since 1970, or None.
        event: Kind of event, or "".
        is_dropped: Whether the what-if leaves it out.
    """

    id: str
    title: str
    time: int | None
    event: str
    is_dropped: bool


@dataclass(frozen=True)
class UserPage:
    """The view model of the page of a user.

    Attributes:
        inputs: The user and the changes.
        description: Description of the service.
        history: Interactions, the latest first; None where the service has no store.
        lists: The feed, and the candidates of each space.
    """

    inputs: Inputs
    description: Description
    history: tuple[HistoryItem, ...] | None
    lists: tuple[Comparison, ...]

    def why(self, name: str, item_id: str) -> str:
        """Address of the page that explains an item of a list."""
        return item_href(item_id)

    @property
    def changes(self) -> str:
        """The changes of the what-if in words."""
        dropped = len(self.inputs.drop)
        parts = [f"without {dropped} item{'s' * (dropped > 1)}"] * bool(dropped)
        parts += [f"searching “{self.inputs.terms}”"] * bool(self.inputs.terms)
        parts += [f"{column} = {value}" for column, value in self.inputs.context.items()]
        return ", ".join(parts)


async def user_page(service: AsyncRecsysClient, inputs: Inputs) -> UserPage:
    """The page of a user.

    Raises:
        UnknownIdError: The user has no history.
    """
    description = await service.describe()
    history, before = await asyncio.gather(
        _history(service, description, inputs.user),
        answers(service, description, inputs.unchanged, None),
    )
    after: Sequence[ItemList | None] = [None] * len(before)
    if inputs.is_changed:
        same = replace(inputs, pipeline=inputs.pipeline or before[0].pipeline)
        found = await answers(service, description, same, history)
        after = [ItemList.of(each.given) for each in found]
    return UserPage(
        inputs,
        description,
        None if history is None else await _items(service, history, inputs),
        tuple(
            Comparison.of(each.name, ItemList.of(each.given), other)
            for each, other in zip(before, after)
        ),
    )


@router.get("/users/user")
async def show(
    request: Request, service: Service, inputs: Annotated[Inputs, Depends(inputs_of)]
) -> Response:
    """Show a user."""
    page = await user_page(service, inputs)
    return respond(request, "people/user.html", page, block="answers")


async def _history(
    service: AsyncRecsysClient, description: Description, user_id: str
) -> History | None:
    if HISTORIES not in description.services:
        return None
    return await service.get_history(user_id, limit=HISTORY)


async def _items(
    service: AsyncRecsysClient, history: History, inputs: Inputs
) -> tuple[HistoryItem, ...]:
    ids = list(dict.fromkeys(history.item_ids))
    found = await service.get_items(ids) if ids else None
    titles = {each.item.item_id: each.item.title for each in found.items} if found else {}
    return tuple(
        HistoryItem(
            each.item_id,
            titles.get(each.item_id, ""),
            each.time,
            each.event or "",
            each.item_id in inputs.drop,
        )
        for each in reversed(history.interactions)
    )
