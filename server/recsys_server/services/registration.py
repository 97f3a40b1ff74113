"""The services of a server next to retrieval, registered together."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from recsys_client.operations.retrieval import SERVICE_NAME
from recsys_client.pb.recsys.v1.bundle_pb2_grpc import add_BundleServiceServicer_to_server
from recsys_server.limits import Limits
from recsys_server.messages import ParsedMessages
from recsys_server.rollout import Rollout
from recsys_server.services import bundles, catalog, interactions
from recsys_server.services.blocking import BlockingCalls
from recsys_server.services.description import DescriptionService

if TYPE_CHECKING:
    from recsys_server.processes.following import BundleFollower


class FurtherServices:
    """The description; with a store also interactions and the catalogue; with a folder its bundles.

    Args:
        rollout: The bundles that answer.
        limits: The largest request that is answered.
        follower: Follower of a folder of bundles, or None without one.
        executor: Threads in which bundles are changed.

    Attributes:
        names: Names of all services, that of retrieval included.
    """

    def __init__(
        self,
        rollout: Rollout,
        limits: Limits,
        *,
        follower: BundleFollower | None,
        executor: Executor,
    ) -> None:
        self._calls = BlockingCalls()
        self._rollout = rollout
        self._limits = limits
        self._bundles = None
        names = [SERVICE_NAME]
        if rollout.current.active.engine is not None:
            names += [interactions.SERVICE_NAME, catalog.SERVICE_NAME]
        if follower is not None:
            self._bundles = bundles.BundleService(follower, executor=executor)
            names.append(bundles.SERVICE_NAME)
        self.names: tuple[str, ...] = tuple(names)

    def add_to(self, server: Any) -> None:
        """Register the calls of the services."""
        rollout, calls, limits = self._rollout, self._calls, self._limits
        DescriptionService(rollout, calls, limits, self.names).add_to(server)
        if interactions.SERVICE_NAME in self.names:
            interactions.InteractionService(rollout, calls).add_to(server)
            catalog.CatalogService(rollout, calls, limits).add_to(server)
        if self._bundles is not None:
            parsed: Any = ParsedMessages(server)
            add_BundleServiceServicer_to_server(self._bundles, parsed)

    def close(self) -> None:
        """End the threads of the services."""
        self._calls.close()
