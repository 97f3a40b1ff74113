"""Operations of ``recsys.v1.FeedService``."""

from __future__ import annotations

from recsys_client.feed.messages import read_feed_response, write_feed_request
from recsys_client.feed.pipeline_messages import read_pipelines
from recsys_client.feed.pipelines import PipelineDescription
from recsys_client.feed.request import FeedRequest
from recsys_client.feed.response import FeedResponse
from recsys_client.operations.operation import Operation, made
from recsys_client.pb.recsys.v1 import feed_pb2 as pb

SERVICE = "/recsys.v1.FeedService/"


def rank(request: FeedRequest, bundle: str = "") -> Operation[FeedResponse]:
    """The feed of one request, of the bundle of a name or of the user's."""
    message = write_feed_request(request)
    message.bundle = bundle
    return Operation(SERVICE + "RankFeed", message, pb.RankFeedResponse, read_feed_response)


def list_pipelines(bundle: str = "") -> Operation[list[PipelineDescription]]:
    """The pipelines of the bundle of a name, or of the active one."""
    message = made(lambda: pb.ListPipelinesRequest(bundle=bundle))
    return Operation(SERVICE + "ListPipelines", message, pb.ListPipelinesResponse, read_pipelines)
