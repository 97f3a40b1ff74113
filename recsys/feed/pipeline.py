"""A pipeline: the stages of a feed in their order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from recsys.errors import ConfigError, suggestion
from recsys.feed.stages import (
    DiversityStage,
    Filter,
    Hydrator,
    ScoringStage,
    SlotStage,
    Source,
    Stage,
)

MERGE, FEED = "merge", "feed"
"""Names of the steps that are no stages: the union of the sources, and the cut to k items."""


@dataclass(frozen=True)
class Pipeline:
    """A named, versioned list of stages.

    Attributes:
        name: Name of the pipeline.
        version: Digest of its configuration.
        sources: Stages that find candidates, side by side.
        hydrators: Stages that read values of candidates.
        filters: Stages that remove candidates.
        scorers: Stages that score candidates; the last one that works determines the order.
        diversity: Stages that select candidates with regard to one another.
        slots: Stages that give positions to other items.
        limit: Largest number of merged candidates.
        budget_ms: Time in milliseconds that all stages share.

    Raises:
        ConfigError: Two stages have the same name.
    """

    name: str
    version: str = ""
    sources: tuple[Source, ...] = ()
    hydrators: tuple[Hydrator, ...] = ()
    filters: tuple[Filter, ...] = ()
    scorers: tuple[ScoringStage, ...] = ()
    diversity: tuple[DiversityStage, ...] = ()
    slots: tuple[SlotStage, ...] = ()
    limit: int = 1_000
    budget_ms: float = math.inf

    def __post_init__(self) -> None:
        names = [stage.title for stage in self]
        for name in names:
            if names.count(name) > 1 or name in (MERGE, FEED):
                raise ConfigError(
                    f"two stages of the feed '{self.name}' are called '{name}'; give one of them "
                    "another name with the key 'name'",
                    field=f"feed.{self.name}",
                )

    def __iter__(self) -> Iterator[Stage]:
        yield from self.sources
        yield from self.later

    @property
    def later(self) -> tuple[Stage, ...]:
        """The stages after the merge, in their order."""
        return (*self.hydrators, *self.filters, *self.scorers, *self.diversity, *self.slots)

    def stage(self, name: str) -> Stage:
        """The stage of a name.

        Raises:
            ConfigError: There is none.
        """
        for stage in self:
            if stage.title == name:
                return stage
        names = [stage.title for stage in self]
        raise ConfigError(
            f"the feed '{self.name}' has no stage '{name}'; there are: {', '.join(names)}"
            f"{suggestion(name, names)}",
            field=f"feed.{self.name}",
        )
