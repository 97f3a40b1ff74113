"""What the service offers of quality: its services and its bundles."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from recsys_client import AsyncRecsysClient, Description
from recsys_client.records import BundleRecord

QUALITY = "recsys.v1.QualityService"
INTERACTIONS = "recsys.v1.InteractionService"


@dataclass(frozen=True)
class Offered:
    """What the pages of quality can show.

    Attributes:
        description: Description of the service.
        bundles: Bundles of its folder, the latest first; empty where it has none.
    """

    description: Description
    bundles: tuple[BundleRecord, ...] = ()

    @property
    def has_quality(self) -> bool:
        """Whether the service shows the quality of its bundles."""
        return QUALITY in self.description.services

    @property
    def has_store(self) -> bool:
        """Whether the service records interactions."""
        return INTERACTIONS in self.description.services

    @property
    def active(self) -> str:
        """Version of the active bundle."""
        return next((each.version for each in self.bundles if each.active), "")

    @property
    def reported(self) -> tuple[str, ...]:
        """Versions of the bundles with a report, the latest first."""
        return tuple(each.version for each in self.bundles if each.has_report)

    def chosen(self, version: str) -> str:
        """``version`` if there is such a bundle, else the active one."""
        return version if any(each.version == version for each in self.bundles) else self.active


async def offered(service: AsyncRecsysClient) -> Offered:
    """What a service offers of quality, by two calls at once."""
    description, bundles = await asyncio.gather(
        service.describe(), service.list_bundles(), return_exceptions=True
    )
    if isinstance(description, BaseException):
        raise description
    if QUALITY not in description.services:
        return Offered(description)
    if isinstance(bundles, BaseException):
        raise bundles
    return Offered(description, tuple(bundles))
