"""Why an item is recommended to a user, or why it is not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient, Description, History
from recsys_client import Request as RetrievalRequest
from recsys_client.errors import RecsysError
from recsys_client.feed import (
    AbsentItem,
    FeatureContribution,
    FeedItemExplanation,
    FeedResponse,
    SourceRank,
)
from recsys_console.pages.items.attributes import shown_attributes
from recsys_console.pages.people.answers import (
    FEEDS,
    NO_FEEDS,
    feed_request,
    history_of,
    items_of,
    looking,
)
from recsys_console.pages.people.explained import PastItem, SpaceRank, Step, past_of, steps_of
from recsys_console.pages.people.inputs import Inputs, inputs_of
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()
DEPTH = 1_000
"""Number of candidates of a space among which the rank of the item is searched."""


@dataclass(frozen=True)
class WhyPage:
    """The view model of the page that explains one item for one user.

    Attributes:
        inputs: The user and the changes.
        item: Id of the item; "" for the form alone.
        title: Title of the item, or "".
        attributes: Attributes of the item.
        pipeline: Name of the pipeline.
        bundle: Version of the bundle that answered.
        position: Position in the feed, from 1; None where it is not in the feed.
        positions: Number of items of the feed.
        slot: Reason of the position: "ranked", "explored", "pinned" or "promoted".
        propensity: Probability of the position.
        lost_at: Stage that removed it; "" where it is in the feed.
        reason: Reason why it is not in the feed, or "".
        sources: Sources that returned it.
        steps: Its way through the stages after the sources.
        contributions: Features that moved its score most.
        past: Items of the history that are most similar to it.
        spaces: Its place among the candidates of each space.
        fault: Message of the error in place of a feed; "" without one.
    """

    inputs: Inputs
    item: str
    title: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    pipeline: str = ""
    bundle: str = ""
    position: int | None = None
    positions: int = 0
    slot: str = ""
    propensity: float = 1.0
    lost_at: str = ""
    reason: str = ""
    sources: tuple[SourceRank, ...] = ()
    steps: tuple[Step, ...] = ()
    contributions: tuple[FeatureContribution, ...] = ()
    past: tuple[PastItem, ...] = ()
    spaces: tuple[SpaceRank, ...] = ()
    fault: str = ""

    @property
    def largest(self) -> float:
        """Largest absolute contribution."""
        return max((abs(each.contribution) for each in self.contributions), default=1.0) or 1.0


async def why_page(service: AsyncRecsysClient, inputs: Inputs, item_id: str) -> WhyPage:
    """The page that explains an item.

    Raises:
        UnknownIdError: The user has no history.
    """
    description = await service.describe()
    history = await history_of(service, description, inputs.user)
    own = looking(service, history)
    own = own.with_bundle(inputs.bundle) if inputs.bundle else own
    feed, spaces = await asyncio.gather(
        _feed(own, description, inputs, history, item_id),
        _spaces(own, description, inputs, history, item_id),
    )
    found = feed if isinstance(feed, FeedResponse) else FeedResponse((), "")
    way = _way(found, item_id)
    similar = () if way is None else way.similar
    items = await items_of(service, description, [item_id, *(each.id for each in similar)])
    shown = next((each for each in found.items if each.id == item_id), None)
    lost = way if isinstance(way, AbsentItem) else None
    item = items.get(item_id)
    return WhyPage(
        inputs,
        item_id,
        item.title if item else "",
        shown_attributes(item.attributes, description.columns) if item else (),
        found.pipeline,
        found.bundle_version,
        shown.position if shown else None,
        len(found.items),
        shown.slot if shown else "",
        shown.propensity if shown else 1.0,
        lost.stage if lost else "",
        lost.reason if lost else "",
        way.sources if way else (),
        steps_of(found, way) if way else (),
        way.contributions if isinstance(way, FeedItemExplanation) else (),
        past_of(similar, {id_: each.title for id_, each in items.items()}),
        spaces,
        "" if isinstance(feed, FeedResponse) else feed.message,
    )


@router.get("/users/why")
async def show(
    request: Request,
    service: Service,
    inputs: Annotated[Inputs, Depends(inputs_of)],
    item: str = "",
) -> Response:
    """Show why an item is recommended, or why it is not."""
    item = item.strip()
    page = await why_page(service, inputs, item) if item else WhyPage(inputs, "")
    return respond(request, "people/why.html", page)


async def _feed(
    service: AsyncRecsysClient,
    description: Description,
    inputs: Inputs,
    history: History | None,
    item_id: str,
) -> FeedResponse | RecsysError:
    if FEEDS not in description.services:
        return NO_FEEDS
    try:
        return await service.rank_feed(feed_request(inputs, history, explain_ids=[item_id]))
    except RecsysError as error:  # a bundle without feeds has candidates
        return error


async def _spaces(
    service: AsyncRecsysClient,
    description: Description,
    inputs: Inputs,
    history: History | None,
    item_id: str,
) -> tuple[SpaceRank, ...]:
    if not (inputs.user or inputs.terms):
        return ()  # an unknown visitor is no query
    depth = min(DEPTH, description.limits.get("k", DEPTH))
    requests = [
        RetrievalRequest(
            inputs.query(history, space.reads), depth, space.name, filter=inputs.filter or None
        )
        for space in description.spaces
    ]
    found = []
    for space, answer in zip(description.space_names, await service.answer(requests)):
        if isinstance(answer, RecsysError):
            found.append(SpaceRank(space, None, None, depth, answer.message))
            continue
        ids = answer.ids
        at = ids.index(item_id) if item_id in ids else None
        score = None if at is None else answer.candidates[at].score
        found.append(SpaceRank(space, None if at is None else at + 1, score, len(ids)))
    return tuple(sorted(found, key=lambda each: each.rank or DEPTH + 1))


def _way(feed: FeedResponse, item_id: str) -> FeedItemExplanation | AbsentItem | None:
    """The explanation of one item, in the feed or not; None without a feed."""
    if feed.explanation is None:
        return None
    explained: tuple[FeedItemExplanation | AbsentItem, ...]
    explained = (*feed.explanation.items, *feed.explanation.absent)
    return next((each for each in explained if each.id == item_id), None)
