"""The services of a server next to retrieval, registered together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from recsys.pictures.isolation import IsolatedDecoder
from recsys_client.operations.retrieval import SERVICE_NAME
from recsys_client.pb.recsys.v1.bundle_pb2_grpc import add_BundleServiceServicer_to_server
from recsys_server.feeds.recording import ImpressionRecorder
from recsys_server.limits import Limits
from recsys_server.messages import ParsedMessages
from recsys_server.metrics.feed_metrics import FeedMetrics
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.operations.overview import ServiceState
from recsys_server.rollout import Rollout
from recsys_server.security.access import Access
from recsys_server.services import bundles, catalog, feed, interactions, operations, quality
from recsys_server.services.blocking import BlockingCalls
from recsys_server.services.description import DescriptionService

if TYPE_CHECKING:
    from recsys_server.processes.following import BundleFollower

BUNDLE_THREADS, BUNDLE_CALLS = 2, 100
"""Number of calls about bundles that run at once, and that run or wait."""
QUALITY_THREADS, QUALITY_CALLS = 2, 50
"""Number of calls about quality that run at once, and that run or wait."""
FEED_CALLS = 200
"""Number of feeds that are ranked or wait."""


class FurtherServices:
    """The description, feeds and operations; with a store also interactions and the catalogue;
    with a folder its bundles and their quality.

    Args:
        rollout: The bundles that answer.
        limits: The largest request that is answered.
        follower: Follower of a folder of bundles, or None without one.
        metrics: Metrics of the worker.
        access: Tokens of the service, or None.

    Attributes:
        names: Names of all services, that of retrieval included.
    """

    def __init__(
        self,
        rollout: Rollout,
        limits: Limits,
        *,
        follower: BundleFollower | None,
        metrics: WorkerMetrics,
        access: Access | None = None,
    ) -> None:
        # Calls that wait for encoders, decoders or bundles do not hold up the others.
        self._calls, self._item_calls = BlockingCalls(), BlockingCalls()
        self._bundle_calls = BlockingCalls(BUNDLE_THREADS, waiting=BUNDLE_CALLS)
        self._feed_calls = BlockingCalls(os.cpu_count() or 1, waiting=FEED_CALLS)
        self._decoder = IsolatedDecoder()
        self._rollout = rollout
        self._limits = limits
        self._quality_calls = BlockingCalls(QUALITY_THREADS, waiting=QUALITY_CALLS)
        self._bundles, self._quality = None, None
        names = [SERVICE_NAME]
        if rollout.current.active.engine is not None:
            names += [interactions.SERVICE_NAME, catalog.SERVICE_NAME]
        self._feed_metrics, self._recorder = FeedMetrics(metrics), None
        if rollout.current.active.feed is not None:
            names.append(feed.SERVICE_NAME)
            if rollout.current.active.engine is not None:
                self._recorder = ImpressionRecorder(rollout, self._feed_metrics)
        if follower is not None:
            self._bundles = bundles.BundleService(follower, self._bundle_calls)
            self._quality = quality.QualityService(rollout, self._quality_calls, follower.root)
            names += [bundles.SERVICE_NAME, quality.SERVICE_NAME]
        names.append(operations.SERVICE_NAME)
        self._recorded = metrics.number("recsys_interactions_recorded")
        self._access = access
        self.names: tuple[str, ...] = tuple(names)

    def add_to(self, server: Any, state: ServiceState) -> None:
        """Register the calls of the services; operators are shown ``state``."""
        rollout, calls, limits = self._rollout, self._calls, self._limits
        DescriptionService(rollout, calls, limits, self.names).add_to(server)
        if interactions.SERVICE_NAME in self.names:
            interactions.InteractionService(rollout, calls, self._recorded).add_to(server)
            catalog.CatalogService(
                rollout, calls, limits, item_calls=self._item_calls, decoder=self._decoder
            ).add_to(server)
        if feed.SERVICE_NAME in self.names:
            feed.FeedService(
                rollout,
                self._feed_calls,
                limits,
                metrics=self._feed_metrics,
                recorder=self._recorder,
            ).add_to(server)
        operations.OperationsService(state, self._access, calls).add_to(server)
        if self._bundles is not None:
            parsed: Any = ParsedMessages(server)
            add_BundleServiceServicer_to_server(self._bundles, parsed)
        if self._quality is not None:
            self._quality.add_to(server)

    def close(self) -> None:
        """End the threads and processes of the services; feeds that wait are recorded."""
        own = (self._calls, self._item_calls, self._bundle_calls, self._feed_calls)
        for calls in (*own, self._quality_calls):
            calls.close()
        if self._quality is not None:
            self._quality.close()
        if self._recorder is not None:
            self._recorder.close()
        self._decoder.close()
