"""Interactions of users, and their histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Interaction:
    """An interaction of a user with an item.

    Attributes:
        user_id: Id of the user; a new one becomes known.
        item_id: Id of the item. An item that is not in the catalogue counts once it is there.
        time: Seconds since 1970; None for the time of the call.
        event: Kind of event, such as "click", or None.
        weight: Number above 0 that says how much it counts in training, or None.
        context: Value of each context column that is known, kept for training.
        terms: Search terms that led to it, kept for training.
        impression_id: ``request_id`` of the feed in which the user saw the item, or "".

    Example:
        >>> Interaction("ann", "lamp", event="click").time is None
        True
    """

    user_id: str
    item_id: str
    time: int | None = None
    event: str | None = None
    weight: float | None = None
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    terms: str = ""
    impression_id: str = ""


@dataclass(frozen=True)
class History:
    """The interactions of a user.

    Attributes:
        interactions: Interactions, oldest first; those of a bundle whose log has no times have
            none.
        watermark: Watermark of the state that answered.
        bundle_version: Version of the bundle that answered.

    Example:
        >>> History((Interaction("ann", "lamp"),)).item_ids
        ['lamp']
    """

    interactions: tuple[Interaction, ...]
    watermark: int = 0
    bundle_version: str = ""

    @property
    def item_ids(self) -> list[str]:
        """Ids of the items, oldest first."""
        return [each.item_id for each in self.interactions]


@dataclass(frozen=True)
class DayActivity:
    """Interactions of one day.

    Attributes:
        begins_at: Time at which it begins, midnight UTC, in seconds since 1970.
        interactions: Number of interactions.

    Example:
        >>> DayActivity(1704067200, 3).interactions
        3
    """

    begins_at: int
    interactions: int


@dataclass(frozen=True)
class ItemActivity:
    """Interactions with an item.

    Attributes:
        interactions: Number of interactions in the histories of all users.
        users: Number of users who had them.
        days: Last days, oldest first, today included.
        watermark: Watermark of the state that answered.
        bundle_version: Version of the bundle that answered.

    Example:
        >>> ItemActivity(3, 2, (DayActivity(1704067200, 3),)).users
        2
    """

    interactions: int
    users: int
    days: tuple[DayActivity, ...] = ()
    watermark: int = 0
    bundle_version: str = ""


@dataclass(frozen=True)
class UserActivity:
    """Interactions of a user.

    Attributes:
        user_id: Id of the user.
        interactions: Number of interactions.
        last_at: Time of the last one in seconds since 1970; None where none is known.

    Example:
        >>> UserActivity("ann", 2, 1704067200).interactions
        2
    """

    user_id: str
    interactions: int
    last_at: int | None = None


@dataclass(frozen=True)
class StreamReceipt:
    """The acknowledgement of a stream of writes.

    Attributes:
        watermark: Largest sequence number of its changes; 0 if it was empty.
        recorded: Number of interactions that it recorded.
        repeated_writes: Number of messages that were recorded before.
        bundle_version: Version of the bundle of the answering process.

    Example:
        >>> StreamReceipt(watermark=9, recorded=3).repeated_writes
        0
    """

    watermark: int
    recorded: int
    repeated_writes: int = 0
    bundle_version: str = ""
