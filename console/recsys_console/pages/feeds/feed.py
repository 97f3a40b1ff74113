"""A feed as its reader sees it, and what each stage of its pipeline kept and removed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient, Description
from recsys_client.feed import PipelineDescription
from recsys_console.pages.feeds.funnel import StageView, stages_of
from recsys_console.pages.items.attributes import shown_attributes
from recsys_console.pages.people.answers import (
    FEEDS,
    NO_FEEDS,
    bundles_of,
    feed_request,
    history_of,
    items_of,
    looking,
)
from recsys_console.pages.people.inputs import Inputs, inputs_of
from recsys_console.pages.people.lists import RankedItem
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()


@dataclass(frozen=True)
class FeedCard:
    """One item of the feed.

    Attributes:
        item: The item and its position.
        attributes: Its attributes as text.
        propensity: Probability of its position.
    """

    item: RankedItem
    attributes: tuple[tuple[str, str], ...]
    propensity: float


@dataclass(frozen=True)
class FeedPage:
    """The view model of the page of a feed.

    Attributes:
        inputs: User, pipeline and further inputs.
        description: Description of the service.
        bundles: Version of the active bundle, and of the canary where there is one.
        pipelines: Pipelines of the bundle that answered.
        pipeline: Name of the pipeline that answered.
        version: Digest of its configuration.
        bundle: Version of the bundle that answered.
        cards: Items of the feed.
        stages: Stages in their order, those of the sources first.
        notes: What the feed lacks, and why.
    """

    inputs: Inputs
    description: Description
    bundles: dict[str, str]
    pipelines: tuple[PipelineDescription, ...]
    pipeline: str
    version: str
    bundle: str
    cards: tuple[FeedCard, ...]
    stages: tuple[StageView, ...]
    notes: tuple[str, ...]

    @property
    def sources(self) -> list[StageView]:
        """The sources."""
        return [each for each in self.stages if each.report.role == "source"]

    @property
    def funnel(self) -> list[StageView]:
        """The stages after the sources."""
        return [each for each in self.stages if each.report.role != "source"]

    @property
    def found(self) -> int:
        """Number of different items that the sources returned."""
        return next((each.report.given for each in self.stages if each.report.role == "merge"), 0)

    @property
    def seconds(self) -> float:
        """Time of the stages: that of the slowest source, and of each stage after it."""
        slowest = max((each.report.seconds for each in self.sources), default=0.0)
        return slowest + sum(each.report.seconds for each in self.funnel)

    @property
    def degraded(self) -> list[str]:
        """Names of the stages that failed, were late or were busy."""
        return [each.report.stage for each in self.stages if each.report.is_degraded]

    @property
    def budget(self) -> float | None:
        """Time in seconds that all stages share, or None where it is not known."""
        named = [each for each in self.pipelines if each.name == self.pipeline]
        return named[0].budget_seconds if named else None

    def why(self, item_id: str) -> str:
        """Address of the page that explains an item."""
        return self.inputs.address("/users/why", item=item_id)


async def feed_page(service: AsyncRecsysClient, inputs: Inputs) -> FeedPage:
    """The page of a feed.

    Raises:
        UnknownIdError: The user has no history.
        ConfigError: The bundle has no feeds.
    """
    description = await service.describe()
    if FEEDS not in description.services:
        raise NO_FEEDS
    history, bundles = await asyncio.gather(
        history_of(service, description, inputs.user), bundles_of(service, description)
    )
    own = looking(service, history)
    own = own.with_bundle(inputs.bundle) if inputs.bundle else own
    response, pipelines = await asyncio.gather(
        own.rank_feed(feed_request(inputs, history, titles=True, explain=True)),
        own.list_pipelines(),
    )
    items = await items_of(service, description, response.ids)
    return FeedPage(
        inputs,
        description,
        bundles,
        tuple(pipelines),
        response.pipeline,
        response.pipeline_version,
        response.bundle_version,
        tuple(
            FeedCard(
                RankedItem.of(each),
                shown_attributes(
                    items[each.id].attributes if each.id in items else {}, description.columns
                ),
                each.propensity,
            )
            for each in response.items
        ),
        stages_of(response, pipelines),
        tuple(response.notes),
    )


@router.get("/feed")
async def show(
    request: Request, service: Service, inputs: Annotated[Inputs, Depends(inputs_of)]
) -> Response:
    """Show a feed."""
    return respond(request, "feeds/feed.html", await feed_page(service, inputs))
