"""``recsys.v1.FeedService``: the ordered, varied list of items that a person sees."""

from __future__ import annotations

from typing import Any

from recsys.errors import ServiceError
from recsys.feed.describing import describe_pipelines
from recsys_client.feed.messages import read_feed_request, write_feed_response
from recsys_client.feed.pipeline_messages import write_pipelines
from recsys_client.operations.feeds import SERVICE
from recsys_client.pb.recsys.v1 import feed_pb2 as pb
from recsys_client.pb.recsys.v1.feed_pb2_grpc import (
    FeedServiceServicer,
    add_FeedServiceServicer_to_server,
)
from recsys_server.feeds.recording import ImpressionRecorder
from recsys_server.feeds.snapshots import SnapshotFeeds
from recsys_server.limits import Limits
from recsys_server.messages import ParsedMessages
from recsys_server.metrics.feed_metrics import FeedMetrics
from recsys_server.rollout import Rollout
from recsys_server.services.blocking import BlockingCalls, Caller

SERVICE_NAME = SERVICE.strip("/")


class FeedService(FeedServiceServicer):
    """Ranks feeds over the snapshots of the bundles that answer, and records them.

    Args:
        rollout: The bundles that answer.
        calls: Threads in which feeds are ranked.
        limits: The largest request that is answered.
        metrics: Metrics of the feeds.
        recorder: Recorder of the feeds; None without a store.
    """

    def __init__(
        self,
        rollout: Rollout,
        calls: BlockingCalls,
        limits: Limits,
        *,
        metrics: FeedMetrics,
        recorder: ImpressionRecorder | None = None,
    ) -> None:
        self._rollout, self._calls, self._limits = rollout, calls, limits
        self._metrics, self._recorder = metrics, recorder
        self._feeds = SnapshotFeeds()

    def add_to(self, server: Any) -> None:
        """Register the calls."""
        parsed: Any = ParsedMessages(server)
        add_FeedServiceServicer_to_server(self, parsed)

    async def RankFeed(self, request: pb.RankFeedRequest, context: Any) -> pb.RankFeedResponse:
        """The feed of one request."""
        return await self._calls.run_watched(
            context, lambda caller: self._rank(request, caller), size=request.ByteSize()
        )

    async def ListPipelines(
        self, request: pb.ListPipelinesRequest, context: Any
    ) -> pb.ListPipelinesResponse:
        """The pipelines of a bundle."""
        loaded = self._rollout.current.choose(request.bundle, "")
        pipelines = describe_pipelines({} if loaded.feed is None else loaded.feed.feeds)
        return write_pipelines(pipelines, loaded.version)

    def _rank(self, message: pb.RankFeedRequest, caller: Caller) -> pb.RankFeedResponse:
        self._limits.check_feed(message)
        request = read_feed_request(message)
        request.check()
        deployment = self._rollout.current
        loaded = deployment.choose(message.bundle, request.query.user_id or "")
        feed = self._feeds.current(loaded)
        if feed is None:
            raise ServiceError("the bundle that answers has no feeds; publish it again")
        caller.check()
        ranked = feed.rank_with_trace(request, seconds=caller.seconds)
        self._metrics.answered(ranked.response)
        caller.check()  # a feed without a viewer is not recorded
        response = ranked.response
        if self._recorder is not None and not message.bundle:
            response = self._recorder.record(ranked, message)
        return write_feed_response(response)
