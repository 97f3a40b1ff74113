"""``Describe`` of ``recsys.v1.RetrievalService``: what the service can answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import grpc

from recsys.errors import NotFoundError
from recsys_client.operations.descriptions import write_description
from recsys_client.operations.retrieval import SERVICE_NAME
from recsys_client.pb.recsys.v1 import description_pb2 as pb
from recsys_server.limits import Limits
from recsys_server.messages import parse
from recsys_server.rollout import LoadedBundle, Rollout
from recsys_server.services.blocking import BlockingCalls

_NO_STORE = "the service runs without a store"
_NO_ITEM_TOWER = "the bundle encodes no item without a ready vector of the space 'two_tower'"


class DescriptionService:
    """Describes the active bundle.

    Args:
        rollout: The bundles that answer.
        calls: Threads in which calls run.
        limits: The largest request that is answered.
        services: Names of the services whose calls are answered.
    """

    def __init__(
        self, rollout: Rollout, calls: BlockingCalls, limits: Limits, services: Sequence[str]
    ) -> None:
        self._rollout = rollout
        self._calls = calls
        self._limits = limits
        self._services = tuple(services)

    def add_to(self, server: Any) -> None:
        """Register the call."""
        method = grpc.unary_unary_rpc_method_handler(self.describe)
        handler = grpc.method_handlers_generic_handler(SERVICE_NAME, {"Describe": method})
        server.add_generic_rpc_handlers((handler,))

    async def describe(self, raw: bytes, context: Any) -> bytes:
        """The bytes of a ``DescribeResponse`` to those of a ``DescribeRequest``."""

        def work() -> bytes:
            parse(pb.DescribeRequest, raw)
            return self._describe(self._rollout.current.active).SerializeToString()

        return await self._calls.run(context, work)

    def _describe(self, loaded: LoadedBundle) -> pb.DescribeResponse:
        retriever: Any = loaded.retriever
        if not hasattr(retriever, "describe"):
            raise NotFoundError("the retriever of this service has no description")
        reason = _NO_STORE
        if loaded.engine is not None:
            reason = _NO_ITEM_TOWER if loaded.engine.catalogue_kind == "fixed" else ""
        return write_description(
            replace(
                retriever.describe(),
                limits=self._limits.model_dump(),
                services=self._services,
                fixed_catalogue_reason=reason,
            )
        )
