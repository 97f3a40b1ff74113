"""Rules for rows that ingestion cannot, or should not, use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from recsys.config import Config


def _weighted(events: object) -> object:
    """A list of kinds as kinds with the weight 1."""
    if isinstance(events, list | tuple) and all(isinstance(kind, str) for kind in events):
        return dict.fromkeys(events, 1.0)
    if not isinstance(events, Mapping):
        raise ValueError("expected a list of kinds, or a table with the weight of each kind")
    return events


def _positive(events: dict[str, float]) -> dict[str, float]:
    if not events:
        raise ValueError("no kind of event is named; leave events out to keep all")
    for kind, weight in events.items():
        if not 0 < weight <= 1e6:
            raise ValueError(
                f"the weight of '{kind}' must be above 0 and at most 1,000,000; leave the kind out"
                " to leave out its interactions"
            )
    return events


EventWeights = Annotated[dict[str, float], BeforeValidator(_weighted), AfterValidator(_positive)]
"""Weights by kind of event; a list of kinds gives each the weight 1."""


class IngestPolicy(Config):
    """Policies of ingestion. All dropped rows are counted in the report.

    Attributes:
        bad_rows: Policy for a row without an id or a time, and for a value that cannot be read.
            "skip" leaves out interactions without a readable id, time or weight above 0, and
            reads a number of an item as missing; both are reported.
        unknown_items: Policy for an interaction whose item is not in the items table.
        duplicate_items: Policy for an item id that is in the items table more than once.
        duplicate_interactions: Policy for repeats: "keep" keeps all; "drop-exact" keeps one of
            those with the same user, item, time and event; "keep-first" and "keep-last" keep a
            user's first or last interaction (in time) with an item; "keep-strongest" keeps the one
            with the greatest weight, the last of equals.
        events: Kinds of event to keep, as a list, or with the weight of each as an example of
            training, such as ``{ view = 0.1, purchase = 1 }``; None keeps all with the weight 1.
        min_weight: Smallest weight to keep, such as a rating of 3; None for all.
        weights: Whether the weights of the log's column are kept, or set to 1 ("equal"); the weight
            of the event multiplies either.
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
    duplicate_interactions: Literal[
        "keep", "drop-exact", "keep-first", "keep-last", "keep-strongest"
    ] = "keep"
    events: EventWeights | None = None
    min_weight: float | None = None
    weights: Literal["keep", "equal"] = "keep"
    min_user_interactions: int = Field(1, ge=1)
    min_item_interactions: int = Field(1, ge=1)
    items_without_interactions: Literal["keep", "drop"] = "keep"
