"""Rules for rows that ingestion cannot, or should not, use."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recsys.config import Config


class IngestPolicy(Config):
    """Policies of ingestion. All dropped rows are counted in the report.

    Attributes:
        bad_rows: Policy for a missing id, a missing time, a weight that is not finite and above 0.
        unknown_items: Policy for an interaction whose item is not in the items table.
        duplicate_items: Policy for an item id that is in the items table more than once.
        duplicate_interactions: Policy for repeats: "keep" keeps all; "drop-exact" keeps one of
            those with the same user, item, time and event; "keep-first" and "keep-last" keep a
            user's first or last interaction (in time) with an item.
        events: Kinds of event to keep; None for all.
        min_weight: Smallest weight to keep, such as a rating of 3; None for all.
        weights: Whether weights are kept, or set to 1 ("equal").
        min_user_interactions: Smallest number of interactions of a user.
        min_item_interactions: Smallest number of interactions of an item; the items stay in the
            catalogue. With both, rows are dropped until both hold (a k-core).
        items_without_interactions: Whether items without interactions stay in the catalogue, where
            their content can be found; published results often drop them.

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
