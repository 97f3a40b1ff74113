"""Acknowledgements of writes, and the keys that make a repeated write harmless."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class WriteReceipt:
    """The acknowledgement of a write, which is on disk and counts in the next retrieval.

    Attributes:
        watermark: Sequence number of the last change of the write.
        repeated: Whether a write with the same key was acknowledged before; this one wrote nothing.
        bundle_version: Version of the bundle of the answering process.
        unknown_item_ids: Ids of the write that are not in the catalogue.

    Example:
        >>> WriteReceipt(watermark=7).repeated
        False
    """

    watermark: int
    repeated: bool = False
    bundle_version: str = ""
    unknown_item_ids: tuple[str, ...] = ()


def new_key() -> str:
    """A random idempotency key, different in each call."""
    return uuid.uuid4().hex
