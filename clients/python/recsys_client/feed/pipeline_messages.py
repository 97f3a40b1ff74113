"""Conversion between protobuf messages and the descriptions of pipelines."""

from __future__ import annotations

from collections.abc import Sequence

from recsys_client.feed.messages import ROLE_NAMES, ROLE_NUMBERS
from recsys_client.feed.pipelines import PipelineDescription, StageDescription
from recsys_client.pb.recsys.v1 import feed_pb2 as pb


def write_pipelines(
    pipelines: Sequence[PipelineDescription], bundle_version: str
) -> pb.ListPipelinesResponse:
    """The message of the pipelines of a bundle."""
    return pb.ListPipelinesResponse(
        bundle_version=bundle_version,
        pipelines=[
            pb.PipelineDescription(
                name=each.name,
                version=each.version,
                share=each.share,
                budget_seconds=each.budget_seconds,
                stages=[
                    pb.StageDescription(
                        stage=stage.stage,
                        kind=stage.kind,
                        role=ROLE_NUMBERS[stage.role],
                        enabled=stage.enabled,
                        budget_seconds=stage.budget_seconds,
                        settings=stage.settings,
                    )
                    for stage in each.stages
                ],
            )
            for each in pipelines
        ],
    )


def read_pipelines(message: pb.ListPipelinesResponse) -> list[PipelineDescription]:
    """The pipelines of a message."""
    return [
        PipelineDescription(
            each.name,
            each.version,
            each.share,
            each.budget_seconds,
            tuple(
                StageDescription(
                    stage.stage,
                    stage.kind,
                    ROLE_NAMES.get(stage.role, ""),
                    stage.enabled,
                    stage.budget_seconds,
                    dict(stage.settings),
                )
                for stage in each.stages
            ),
        )
        for each in message.pipelines
    ]
