"""Operations of ``recsys.v1.BundleService``."""

from __future__ import annotations

from recsys_client.operations.operation import Operation, made
from recsys_client.pb.recsys.v1 import bundle_pb2 as pb
from recsys_client.records.bundles import ActiveBundles, BundleChange, BundleRecord
from recsys_client.records.receipts import new_key

SERVICE = "/recsys.v1.BundleService/"


def list_all() -> Operation[list[BundleRecord]]:
    """All published bundles."""
    return Operation(
        SERVICE + "ListBundles",
        pb.ListBundlesRequest(),
        pb.ListBundlesResponse,
        lambda message: list(map(read_bundle, message.bundles)),
    )


def get_active() -> Operation[ActiveBundles]:
    """The bundles that answer."""
    message = pb.GetActiveBundleRequest()
    return Operation(SERVICE + "GetActiveBundle", message, pb.GetActiveBundleResponse, _read_active)


def activate(version: str, key: str | None) -> Operation[BundleChange]:
    """Let a bundle answer."""
    message = made(
        lambda: pb.ActivateBundleRequest(version=version, idempotency_key=key or new_key())
    )
    return Operation(SERVICE + "ActivateBundle", message, pb.ActivateBundleResponse, _read_change)


def roll_back(key: str | None) -> Operation[BundleChange]:
    """Let the bundle answer that was active before."""
    message = made(lambda: pb.RollbackBundleRequest(idempotency_key=key or new_key()))
    return Operation(SERVICE + "RollbackBundle", message, pb.RollbackBundleResponse, _read_change)


def set_canary(version: str, share: float, key: str | None) -> Operation[ActiveBundles]:
    """Let a bundle answer a share of the users, or none."""
    message = made(
        lambda: pb.SetCanaryRequest(version=version, share=share, idempotency_key=key or new_key())
    )
    return Operation(SERVICE + "SetCanary", message, pb.SetCanaryResponse, _read_active)


def read_bundle(message: pb.Bundle) -> BundleRecord:
    """The bundle of a message."""
    return BundleRecord(
        message.version,
        message.created_at,
        message.watermark,
        message.active,
        message.canary_share,
        message.fault,
        message.has_report,
    )


def _read_active(message: pb.GetActiveBundleResponse | pb.SetCanaryResponse) -> ActiveBundles:
    canary = read_bundle(message.canary) if message.HasField("canary") else None
    return ActiveBundles(read_bundle(message.bundle), canary)


def _read_change(message: pb.ActivateBundleResponse | pb.RollbackBundleResponse) -> BundleChange:
    return BundleChange(read_bundle(message.bundle), message.previous_version)
