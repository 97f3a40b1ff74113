"""What ingestion does with rows that cannot, or should not, be used."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recsys.config import Config


class IngestPolicy(Config):
    """Policies of ingestion. Whatever is left out is counted in the report.

    Attributes:
        bad_rows: A missing id, a missing time, a weight that is not finite and above 0.
        unknown_items: An interaction whose item is not in the items table.
        duplicate_items: An item id that is in the items table more than once.
        duplicate_interactions: "keep" keeps all; "drop-exact" keeps one of those with the same
            user, item, time and event; "keep-first" and "keep-last" keep a user's first or last
            interaction (in time) with an item.
        events: The kinds of event to keep; None for all.
        min_weight: The least weight to keep, such as a rating of 3; None for all.
        weights: "keep" hands weights on; "equal" makes all of those kept 1.
        min_user_interactions: Users with fewer are left out.
        min_item_interactions: Interactions with items that have fewer are left out; the items stay
            in the catalogue. With both, rows are left out until both hold (a k-core).
        items_without_interactions: "keep" leaves items that nobody met in the catalogue, where
            their content can find them; "drop" leaves them out, as tables of published results do.

    Example:
        >>> IngestPolicy(min_weight=3.0, weights="equal").unknown_items
        'raise'
    """

    bad_rows: Literal["raise", "skip"] = "raise"
    unknown_items: Literal["raise", "skip"] = "raise"
    duplicate_items: Literal["raise", "keep-first", "keep-last"] = "raise"
    duplicate_interactions: Literal["keep", "drop-exact", "keep-first", "keep-last"] = "keep"
    events: tuple[str, ...] | None = None
    min_weight: float | None = None
    weights: Literal["keep", "equal"] = "keep"
    min_user_interactions: int = Field(1, ge=1)
    min_item_interactions: int = Field(1, ge=1)
    items_without_interactions: Literal["keep", "drop"] = "keep"
