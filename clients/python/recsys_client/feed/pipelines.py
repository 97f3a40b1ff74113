"""Pipelines of feeds and their stages, as a service describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StageDescription:
    """A stage of a pipeline.

    Attributes:
        stage: Name of the stage.
        kind: Kind of the stage, as in the configuration.
        role: "source", "hydrator", "filter", "scorer", "diversity" or "slots".
        enabled: Whether the stage runs.
        budget_seconds: Time after which a feed continues without the stage.
        settings: Other values of its configuration, as JSON.

    Example:
        >>> StageDescription("popular", "popular", "source", True, 0.1, {"k": "50"}).settings["k"]
        '50'
    """

    stage: str
    kind: str
    role: str
    enabled: bool
    budget_seconds: float
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class PipelineDescription:
    """A pipeline of feeds.

    Attributes:
        name: Name of the pipeline.
        version: Digest of its configuration.
        share: Share of the users whose feeds it ranks, from 0 to 1.
        budget_seconds: Time that all stages share.
        stages: Stages in their order.

    Example:
        >>> PipelineDescription("home", "d1", 1.0, 0.5).stages
        ()
    """

    name: str
    version: str
    share: float
    budget_seconds: float
    stages: tuple[StageDescription, ...] = ()
