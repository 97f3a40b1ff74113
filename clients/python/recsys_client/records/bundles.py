"""Published bundles, and those that answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BundleRecord:
    """A published bundle.

    Attributes:
        version: Version.
        created_at: Time of its publication in seconds since 1970.
        watermark: Watermark up to which it includes recorded changes; 0 where it includes none.
        active: Whether it is the active bundle.
        canary_share: Share of the users that it answers as the canary.
        fault: Reason why it cannot be served; "" where none is known.
        has_report: Whether it was published with a report of its evaluation.

    Example:
        >>> BundleRecord("v1", 1704067200, active=True).fault
        ''
    """

    version: str
    created_at: int
    watermark: int = 0
    active: bool = False
    canary_share: float = 0.0
    fault: str = ""
    has_report: bool = False


@dataclass(frozen=True)
class ActiveBundles:
    """The bundles that answer.

    Attributes:
        bundle: Active bundle.
        canary: Canary, or None.

    Example:
        >>> ActiveBundles(BundleRecord("v1", 1704067200)).canary is None
        True
    """

    bundle: BundleRecord
    canary: BundleRecord | None = None


@dataclass(frozen=True)
class BundleChange:
    """A change of the active bundle.

    Attributes:
        bundle: Active bundle after the change.
        previous_version: Version that was active before.

    Example:
        >>> BundleChange(BundleRecord("v2", 1704067200), "v1").previous_version
        'v1'
    """

    bundle: BundleRecord
    previous_version: str
