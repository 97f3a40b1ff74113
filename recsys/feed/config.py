"""Pipelines as sections of a configuration, and the share of users of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from hashlib import blake2b
from typing import Annotated

from pydantic import Field, model_validator

from recsys.config import Config
from recsys.errors import ConfigError, NotFoundError, suggestion
from recsys.feed.arranging import Diversify, Slate
from recsys.feed.filters import (
    Available,
    Blocked,
    MaximumAge,
    Predicate,
    SamePicture,
    Seen,
    SimilarVector,
)
from recsys.feed.hydrators import ItemCounts, ItemVectors
from recsys.feed.pipeline import Pipeline
from recsys.feed.scoring import Blend, LearnedRanker
from recsys.feed.sources import (
    External,
    Followed,
    Fresh,
    Pinned,
    Popular,
    SearchTerms,
    SimilarItems,
    Trending,
    TwoTower,
)
from recsys.files import sha256_json

DEFAULT = "default"
"""Name of the pipeline of a bundle that was published without one."""
_VERSION_LENGTH = 12
_TAG = "stage"
SourceSection = Annotated[
    TwoTower
    | SimilarItems
    | SearchTerms
    | Popular
    | Trending
    | Fresh
    | Followed
    | External
    | Pinned,
    Field(discriminator=_TAG),
]
HydratorSection = Annotated[ItemVectors | ItemCounts, Field(discriminator=_TAG)]
FilterSection = Annotated[
    Seen | Blocked | Predicate | Available | MaximumAge | SamePicture | SimilarVector,
    Field(discriminator=_TAG),
]
ScoringSection = Annotated[Blend | LearnedRanker, Field(discriminator=_TAG)]


class FeedConfig(Config):
    """One pipeline of feeds. Without keys it is the default pipeline.

    Each list replaces the default one as a whole. A stage whose space, column or input does not
    exist is idle.

    Attributes:
        share: Share of the users, from 0 to 1, which a hash of the user id decides. Pipelines
            without a share divide the rest equally; one with share 0 is used by its name only.
        limit: Largest number of merged candidates.
        budget_ms: Time in milliseconds that all stages share. A stage has at most half of what is
            left of it, so that the stages after it have time, too.
        sources: Stages that find candidates, side by side.
        hydrators: Stages that read values of the candidates.
        filters: Stages that remove candidates, in their order.
        scorers: Stages that score candidates; the last one that works determines the order.
        diversity: Stages that order candidates with regard to one another.
        slots: Stages that assign candidates to positions.

    Example:
        >>> pipeline = FeedConfig().pipeline("home")
        >>> pipeline.sources[0].title, pipeline.scorers[-1].title
        ('two_tower', 'ranker')
    """

    share: float | None = Field(None, ge=0, le=1)
    limit: int = Field(1_000, ge=1, le=10_000)
    budget_ms: float = Field(500.0, gt=0)
    sources: tuple[SourceSection, ...] = Field(
        (
            TwoTower(),
            SimilarItems(),
            SimilarItems(name="text_neighbours", space="text"),
            SimilarItems(name="image_neighbours", space="image"),
            SearchTerms(),
            Popular(),
            Trending(),
            Fresh(),
            Followed(),
            External(),
            Pinned(),
        ),
        min_length=1,
    )
    hydrators: tuple[HydratorSection, ...] = (ItemVectors(),)
    filters: tuple[FilterSection, ...] = (
        Seen(),
        Blocked(),
        Predicate(),
        SamePicture(),
        SimilarVector(),
    )
    scorers: tuple[ScoringSection, ...] = (Blend(), LearnedRanker())
    diversity: tuple[Diversify, ...] = (Diversify(),)
    slots: tuple[Slate, ...] = (Slate(),)

    @model_validator(mode="after")
    def _names_are_unique(self) -> FeedConfig:
        try:
            self.pipeline("")
        except ConfigError as error:
            raise ValueError(error.message) from error
        return self

    @cached_property
    def version(self) -> str:
        """Digest of everything but the share."""
        values = self.model_dump(mode="json", exclude={"share"})
        return sha256_json(values)[:_VERSION_LENGTH]

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline of this section."""
        return Pipeline(
            name,
            self.version,
            self.sources,
            self.hydrators,
            self.filters,
            self.scorers,
            self.diversity,
            self.slots,
            self.limit,
            self.budget_ms,
        )


def shares_of(feeds: Mapping[str, FeedConfig]) -> dict[str, float]:
    """Share of the users of each pipeline; they sum to 1.

    Raises:
        ConfigError: They do not.

    Example:
        >>> shares_of({"home": FeedConfig(share=0.9), "trial": FeedConfig()})
        {'home': 0.9, 'trial': 0.1}
    """
    given = {name: feed.share for name, feed in feeds.items() if feed.share is not None}
    total, others = sum(given.values()), len(feeds) - len(given)
    if total > 1 + 1e-9 or (not others and total < 1 - 1e-9):
        listed = ", ".join(f"{name} {share:g}" for name, share in given.items())
        raise ConfigError(
            f"the shares of the feeds must sum to 1; they are {listed}: change one, or leave one "
            "out for the rest",
            field="feed",
        )
    rest = round(max(1 - total, 0.0), 12)
    return {name: given.get(name, rest / max(others, 1)) for name in feeds}


def choose(feeds: Mapping[str, FeedConfig], name: str, user_id: str | None) -> str:
    """Name of the pipeline of a request: the named one, else the one of the user's share.

    The same user has the same pipeline in every process and version, as long as the names and
    shares are the same. A request without a user has the pipeline with the largest share.

    Raises:
        NotFoundError: There is no pipeline of this name.

    Example:
        >>> feeds = {"home": FeedConfig(share=0.5), "trial": FeedConfig(share=0.5)}
        >>> [choose(feeds, "", user) for user in ("ann", "bob", "eve")]
        ['trial', 'home', 'trial']
    """
    if name:
        if name not in feeds:
            raise NotFoundError(
                f"no feed {name!r:.80}; there are: {', '.join(feeds)}{suggestion(name, feeds)}",
                field="pipeline",
            )
        return name
    shares = shares_of(feeds)
    if user_id is None:
        return max(shares, key=lambda each: shares[each])
    digest = blake2b(f"feed:{user_id}".encode(), digest_size=8).digest()
    point, begin = int.from_bytes(digest, "big") / 2**64, 0.0
    for each, share in shares.items():
        begin += share
        if point < begin:
            return each
    return each
