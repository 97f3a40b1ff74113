"""A user: the history, the recommendations, and what they would be after a change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient, Description, History
from recsys_console.pages.people.answers import answers, bundles_of, history_of, items_of, looking
from recsys_console.pages.people.inputs import Inputs, inputs_of
from recsys_console.pages.people.lists import Comparison, ItemList
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()


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
        bundles: Version of the active bundle, and of the canary where there is one.
        history: Interactions, the latest first; None where the service has no store.
        lists: The feed, and the candidates of each space.
    """

    inputs: Inputs
    description: Description
    bundles: dict[str, str]
    history: tuple[HistoryItem, ...] | None
    lists: tuple[Comparison, ...]

    @property
    def own_bundle(self) -> str:
        """Version of the bundle that answers this user."""
        return next((each.before.bundle for each in self.lists if each.before.bundle), "")

    def why(self, item_id: str, *, changed: bool = False) -> str:
        """Address of the page that explains an item, as it is or after the changes."""
        inputs = self.inputs if changed else self.inputs.unchanged
        return inputs.address("/users/why", item=item_id)

    @property
    def changes(self) -> str:
        """The changes of the what-if in words."""
        dropped = len(self.inputs.drop)
        parts = [f"without {dropped} item{'s' * (dropped > 1)}"] * bool(dropped)
        parts += [f"searching “{self.inputs.terms}”"] * bool(self.inputs.terms)
        parts += [f"bundle {self.inputs.bundle}"] * bool(self.inputs.bundle)
        parts += [f"only {self.inputs.filter}"] * bool(self.inputs.filter)
        parts += [f"{column} = {value}" for column, value in self.inputs.context.items()]
        return ", ".join(parts)


async def user_page(service: AsyncRecsysClient, inputs: Inputs) -> UserPage:
    """The page of a user.

    Raises:
        UnknownIdError: The user has no history.
    """
    description = await service.describe()
    history, bundles = await asyncio.gather(
        history_of(service, description, inputs.user), bundles_of(service, description)
    )
    own = looking(service, history)
    before, items = await asyncio.gather(
        answers(own, description, inputs.unchanged, None),
        _items(service, description, history, inputs),
    )
    after: Sequence[ItemList | None] = [None] * len(before)
    if inputs.is_changed:
        other = own.with_bundle(inputs.bundle) if inputs.bundle else own
        # A query without the user's id has no share; another bundle may have other pipelines.
        own_share = inputs.bundle and not inputs.drop
        pipeline = inputs.pipeline or ("" if own_share else before[0].pipeline)
        same = replace(inputs, pipeline=pipeline)
        found = await answers(other, description, same, history)
        after = [ItemList.of(each.given) for each in found]
    return UserPage(
        inputs,
        description,
        bundles,
        items,
        tuple(
            Comparison.of(each.name, ItemList.of(each.given), changed)
            for each, changed in zip(before, after)
        ),
    )


@router.get("/users/user")
async def show(
    request: Request, service: Service, inputs: Annotated[Inputs, Depends(inputs_of)]
) -> Response:
    """Show a user."""
    page = await user_page(service, inputs)
    return respond(request, "people/user.html", page, block="answers")


async def _items(
    service: AsyncRecsysClient,
    description: Description,
    history: History | None,
    inputs: Inputs,
) -> tuple[HistoryItem, ...] | None:
    if history is None:
        return None
    known = await items_of(service, description, history.item_ids)
    return tuple(
        HistoryItem(
            each.item_id,
            known[each.item_id].title if each.item_id in known else "",
            each.time,
            each.event or "",
            each.item_id in inputs.drop,
        )
        for each in reversed(history.interactions)
    )
