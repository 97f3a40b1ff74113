"""Descriptions of pipelines, for the operators of a service."""

from __future__ import annotations

import json
from collections.abc import Mapping

from recsys.feed.config import FeedConfig, shares_of
from recsys.feed.stages import Stage
from recsys_client.feed import PipelineDescription, StageDescription

_NAMED = {"stage", "name", "enabled", "budget_ms"}
"""Values that have fields of their own."""


def describe_pipelines(feeds: Mapping[str, FeedConfig]) -> list[PipelineDescription]:
    """The description of each pipeline.

    Example:
        >>> (home,) = describe_pipelines({"home": FeedConfig()})
        >>> home.share, home.stages[0].settings["k"]
        (1.0, '300')
    """
    shares = shares_of(feeds)
    return [
        PipelineDescription(
            name,
            section.version,
            shares[name],
            section.budget_ms / 1000,
            tuple(map(_described, section.pipeline(name))),
        )
        for name, section in feeds.items()
    ]


def _described(stage: Stage) -> StageDescription:
    values = stage.model_dump(mode="json", exclude=_NAMED, exclude_none=True)
    return StageDescription(
        stage.title,
        stage.stage,
        stage.role,
        stage.enabled,
        stage.budget_ms / 1000,
        {name: json.dumps(value) for name, value in values.items()},
    )
