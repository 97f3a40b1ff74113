"""Impressions of answered feeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from google.protobuf.json_format import MessageToJson

from recsys.feed import RankedFeed
from recsys.store import Impression, ImpressionQueue
from recsys.store.impressions import MAX_HISTORY, new_request_id
from recsys_client.feed import FeedResponse
from recsys_client.pb.recsys.v1 import feed_pb2 as pb
from recsys_server.metrics.feed_metrics import FeedMetrics
from recsys_server.rollout import Rollout
from recsys_server.services.writing import live_engine

CLOSE_SECONDS = 2.0
"""Longest time for the impressions that wait when the service stops."""


class ImpressionRecorder:
    """Records feeds in the store of the active bundle, off the path of the answer.

    Args:
        rollout: The bundles that answer.
        metrics: Metrics of the feeds.
    """

    def __init__(self, rollout: Rollout, metrics: FeedMetrics) -> None:
        self._rollout, self._metrics = rollout, metrics
        self._queue = ImpressionQueue(self._write)

    def record(self, ranked: RankedFeed, message: pb.RankFeedRequest) -> FeedResponse:
        """The response, with the ``request_id`` of its impression unless the queue is full."""
        impression = impression_of(ranked, message)
        is_taken = self._queue.add(impression)
        self._metrics.impression(is_taken, waiting=len(self._queue))
        if not is_taken:
            return ranked.response
        return replace(ranked.response, request_id=impression.request_id)

    def flush(self, timeout: float) -> bool:
        """Whether every impression is in the store, at the latest after ``timeout`` seconds."""
        return self._queue.flush(timeout)

    def close(self) -> None:
        """Write the impressions that wait."""
        self._queue.close(CLOSE_SECONDS)

    def _write(self, batch: Sequence[Impression]) -> None:
        try:
            live_engine(self._rollout).store.record_impressions(batch)
        except Exception:
            self._metrics.impressions_failed()
            raise
        self._metrics.impressions_written(len(batch), waiting=len(self._queue) - len(batch))


def impression_of(ranked: RankedFeed, message: pb.RankFeedRequest) -> Impression:
    """What a feed shows, with the features that its scorer has read."""
    response, context, features = ranked.response, ranked.context, ranked.trace.features()
    ids = context.view.retriever.catalogue.ids
    values = {} if features is None else {"features": features.values}
    return Impression(
        new_request_id(),
        context.request.query.user_id,
        context.now,
        tuple(response.ids),
        ranked.trace.state.candidates.scores,
        ranked.trace.chances(),
        tuple(item.slot for item in response.items),
        () if features is None else features.names,
        history=tuple(ids.ids(context.history[-MAX_HISTORY:])),
        bundle_version=response.bundle_version,
        pipeline=response.pipeline,
        pipeline_version=response.pipeline_version,
        watermark=response.watermark,
        request=MessageToJson(message, preserving_proto_field_name=True, indent=None),
        **values,
    )
