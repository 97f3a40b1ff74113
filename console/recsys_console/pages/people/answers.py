"""The answers of the service for one user: the feed and the candidates of each space."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from recsys_client import (
    TWO_TOWER,
    AsyncRecsysClient,
    Description,
    History,
    Item,
    Request,
    Response,
)
from recsys_client.errors import ConfigError, PermissionDeniedError, RecsysError
from recsys_client.feed import FeedRequest, FeedResponse
from recsys_console.pages.people.inputs import Inputs, ids_in

FEED = "feed"
"""Name of the answer that a feed pipeline gives; the others have the names of their spaces."""
FEEDS, HISTORIES = "recsys.v1.FeedService", "recsys.v1.InteractionService"
BUNDLES, CATALOGUE = "recsys.v1.BundleService", "recsys.v1.CatalogService"
NO_FEEDS = ConfigError("the bundle that answers has no feeds; publish it again")
HISTORY = 1_000
"""Largest number of interactions of a history that are read."""
PARTS = ("terms", "context", "history_times")
"""Parts of a query that feeds read, besides the user and the history."""
SEED = 1
"""Seed of the random choices, so that two answers differ by their inputs alone."""


@dataclass(frozen=True)
class Answer:
    """One answer, or the error in place of it.

    Attributes:
        name: "feed" or the name of a space.
        given: Response or error.

    Example:
        >>> Answer("text", Response((), "text")).pipeline
        ''
    """

    name: str
    given: Response | FeedResponse | RecsysError

    @property
    def pipeline(self) -> str:
        """Name of the pipeline that answered; "" for candidates and errors."""
        return self.given.pipeline if isinstance(self.given, FeedResponse) else ""


async def history_of(
    service: AsyncRecsysClient, description: Description, user_id: str
) -> History | None:
    """The history of a user; None for an unknown visitor, and where the service has no store.

    Raises:
        UnknownIdError: No interaction of the user is recorded.
    """
    if not user_id or HISTORIES not in description.services:
        return None
    return await service.get_history(user_id, limit=HISTORY)


async def bundles_of(service: AsyncRecsysClient, description: Description) -> dict[str, str]:
    """Version of the active bundle, and of the canary where there is one, by these names."""
    found = {"active": description.bundle_version}
    if BUNDLES not in description.services:
        return found
    try:
        answering = await service.get_active_bundle()
    except PermissionDeniedError:
        return found
    canary = {} if answering.canary is None else {"canary": answering.canary.version}
    return {"active": answering.bundle.version, **canary}


async def items_of(
    service: AsyncRecsysClient, description: Description, ids: Iterable[str]
) -> dict[str, Item]:
    """The known items of some ids, by their ids; empty where the service has no store."""
    wanted = list(dict.fromkeys(ids))
    if not wanted or CATALOGUE not in description.services:
        return {}
    found = await service.get_items(wanted)
    return {each.item.item_id: each.item for each in found.items}


def looking(service: AsyncRecsysClient, history: History | None) -> AsyncRecsysClient:
    """The service as it answers the user of a history; feeds of a named bundle are not recorded."""
    return service.with_bundle(history.bundle_version if history else "active")


def feed_request(inputs: Inputs, history: History | None, **further: Any) -> FeedRequest:
    """The request for the feed of the inputs, with further fields."""
    return FeedRequest(
        inputs.query(history, PARTS),
        inputs.k,
        inputs.pipeline,
        filter=inputs.filter or None,
        pinned=ids_in(inputs.pinned),
        promoted=ids_in(inputs.promoted),
        seed=SEED,
        **further,
    )


async def answers(
    service: AsyncRecsysClient, description: Description, inputs: Inputs, history: History | None
) -> list[Answer]:
    """The feed, where the service has feeds, and the candidates of each space.

    Each of them reads what it can of the inputs.
    """
    spaces = sorted(description.spaces, key=lambda space: space.name != TWO_TOWER)
    requests = [
        Request(
            inputs.query(history, space.reads),
            inputs.k,
            space.name,
            titles=True,
            filter=inputs.filter or None,
        )
        for space in spaces
    ]
    has_feeds = FEEDS in description.services
    feed = _feed(service, inputs, history) if has_feeds else asyncio.sleep(0)
    candidates, found = await asyncio.gather(service.answer(requests), feed)
    feeds = [] if found is None else [Answer(FEED, found)]
    return feeds + [Answer(space.name, given) for space, given in zip(spaces, candidates)]


async def _feed(
    service: AsyncRecsysClient, inputs: Inputs, history: History | None
) -> FeedResponse | RecsysError:
    try:
        return await service.rank_feed(feed_request(inputs, history, titles=True))
    except RecsysError as error:  # a bundle without feeds has candidates
        return error
