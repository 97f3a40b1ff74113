"""``recsys.v1.BundleService``: the published bundles, and which of them answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from recsys.bundle import BundleInfo, Canary, list_bundles
from recsys.errors import InvalidRequestError, NotFoundError
from recsys_client.pb.recsys.v1 import bundle_pb2 as pb
from recsys_client.pb.recsys.v1.bundle_pb2_grpc import BundleServiceServicer
from recsys_server.processes.following import BundleFollower
from recsys_server.services.blocking import BlockingCalls
from recsys_server.services.keys import IdempotencyKeys

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["BundleService"].full_name


class BundleService(BundleServiceServicer):
    """Lists and selects the bundles of a folder; the other workers follow within a second.

    Args:
        follower: Bundles of this worker.
        calls: Threads in which calls run and bundles are loaded.
    """

    def __init__(self, follower: BundleFollower, calls: BlockingCalls) -> None:
        self._follower = follower
        self._calls = calls
        self._keys = IdempotencyKeys(follower.root / "idempotency.json")

    async def ListBundles(  # noqa: D102 - documented in the proto
        self, request: pb.ListBundlesRequest, context: Any
    ) -> pb.ListBundlesResponse:
        found = await self._list(context)
        return pb.ListBundlesResponse(bundles=[self._message(each) for each in found])

    async def GetActiveBundle(  # noqa: D102
        self, request: pb.GetActiveBundleRequest, context: Any
    ) -> pb.GetActiveBundleResponse:
        active, canary = await self._serving(context)
        return pb.GetActiveBundleResponse(bundle=active, canary=canary)

    async def ActivateBundle(  # noqa: D102
        self, request: pb.ActivateBundleRequest, context: Any
    ) -> pb.ActivateBundleResponse:
        if not request.version:
            raise InvalidRequestError("a version is required", field="version")
        work = partial(self._follower.activate, request.version)
        previous = await self._once(request, context, work)
        return pb.ActivateBundleResponse(
            bundle=(await self._serving(context))[0], previous_version=previous
        )

    async def RollbackBundle(  # noqa: D102
        self, request: pb.RollbackBundleRequest, context: Any
    ) -> pb.RollbackBundleResponse:
        previous = await self._once(request, context, self._follower.roll_back)
        return pb.RollbackBundleResponse(
            bundle=(await self._serving(context))[0], previous_version=previous
        )

    async def SetCanary(  # noqa: D102
        self, request: pb.SetCanaryRequest, context: Any
    ) -> pb.SetCanaryResponse:
        canary = _canary(request)

        def work() -> str:
            self._follower.set_canary(canary)
            return ""

        await self._once(request, context, work)
        active, served = await self._serving(context)
        return pb.SetCanaryResponse(bundle=active, canary=served)

    async def _list(self, context: Any) -> Sequence[BundleInfo]:
        return await self._calls.run(context, partial(list_bundles, self._follower.root))

    async def _once(self, request: Any, context: Any, work: Callable[[], str]) -> str:
        """The result of ``work``, which a repeated idempotency key does not run again.

        A bundle that is being loaded is activated even if the caller gives up.
        """
        content = f"{type(request).__name__} {request.SerializeToString(deterministic=True).hex()}"
        run = partial(self._keys.once, request.idempotency_key, content, work)
        return await asyncio.shield(self._calls.run(context, run))

    async def _serving(self, context: Any) -> tuple[pb.Bundle, pb.Bundle | None]:
        """The active bundle and the canary of this worker."""
        found = await self._list(context)
        infos = {each.version: each for each in found}
        current = self._follower.rollout.current

        def message(version: str) -> pb.Bundle:
            info = infos.get(version, BundleInfo(version, False, "", 0, 0, 0, "it was removed"))
            return self._message(info)

        canary = current.canary
        return message(current.active.version), None if canary is None else message(canary.version)

    def _message(self, info: BundleInfo) -> pb.Bundle:
        current = self._follower.rollout.current
        is_canary = current.canary is not None and current.canary.version == info.version
        return pb.Bundle(
            version=info.version,
            created_at=int(_time(info.created).timestamp()) if info.created else 0,
            watermark=info.watermark,
            active=info.version == current.active.version,
            canary_share=current.share if is_canary else 0.0,
            fault=info.fault or self._follower.refused.get(info.version, ""),
            has_report=info.has_report,
        )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 reads no Z


def _canary(request: pb.SetCanaryRequest) -> Canary | None:
    if not request.version:
        if request.share:
            raise InvalidRequestError("a share needs a version", field="version")
        return None
    if not 0 < request.share < 1:
        raise InvalidRequestError(
            f"share must be above 0 and below 1; got {request.share:g}", field="share"
        )
    if len(request.version) > 80:
        raise NotFoundError(f"no bundle {request.version!r:.80}", field="version")
    return Canary(version=request.version, share=request.share)
