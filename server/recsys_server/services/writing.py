"""Writes to the store of the bundles that answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from recsys.errors import InvalidRequestError, ServiceError
from recsys.live import LiveEngine
from recsys.store import Change, ItemDeleted, ItemUpserted, Receipt
from recsys_server.rollout import Rollout


def live_engine(rollout: Rollout) -> LiveEngine:
    """The engine of the active bundle.

    Raises:
        ServiceError: The bundle is served without a store.
    """
    live = rollout.current.active.engine
    if live is None:
        raise ServiceError("this service has no store; start it with one")
    return live


def write(rollout: Rollout, changes: Sequence[Change], key: str) -> Receipt:
    """Record changes; they are on disk, and in the snapshots of this process, when this returns.

    Raises:
        StoreError: The changes were not recorded.
        InvalidRequestError: The key was used for other changes.
    """
    receipt = live_engine(rollout).store.append(changes, key=key or None)
    # Writes of users do not wait until items of other processes are encoded.
    of_items = any(isinstance(each, ItemUpserted | ItemDeleted) for each in changes)
    _catch_up(rollout, receipt.watermark, "apply" if of_items else "later")
    return receipt


def write_events(
    rollout: Rollout, writes: Sequence[tuple[Sequence[Change], str]]
) -> list[Receipt | Exception]:
    """Record several writes of interactions with their keys, as :func:`write` one after the other.

    They share transactions. For each write the receipt, or the error of it alone.
    """
    store = live_engine(rollout).store
    results = store.append_each([(changes, key or None) for changes, key in writes])
    recorded = [each.watermark for each in results if isinstance(each, Receipt)]
    if recorded:
        _catch_up(rollout, max(recorded), "later")
    return results


def _catch_up(rollout: Rollout, watermark: int, items: Literal["apply", "later"]) -> None:
    """Let the snapshots of this process include the changes up to a watermark."""
    deployment = rollout.current
    for loaded in (deployment.active, deployment.canary):
        if loaded is not None and loaded.engine is not None:
            loaded.engine.catch_up(watermark, items=items)


@contextmanager
def at(path: str) -> Iterator[None]:
    """Let errors inside name their field below ``path``."""
    try:
        yield
    except InvalidRequestError as error:
        inner = f"{path}.{error.field}" if error.field else path
        raise InvalidRequestError(f"{path}: {error.message}", field=inner) from error


def check_count(count: int, most: int, *, noun: str, field: str) -> None:
    """Refuse a call without a part, or with too many."""
    if not 1 <= count <= most:
        raise InvalidRequestError(
            f"{field} must hold from 1 to {most:,} {noun}; got {count:,}", field=field
        )
