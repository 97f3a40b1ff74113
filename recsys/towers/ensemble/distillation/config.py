"""Configuration of distillation."""

from __future__ import annotations

from pydantic import Field

from recsys.config import Config


class ItemFilterConfig(Config):
    """Powers of :class:`recsys.towers.ensemble.distillation.item_filter.ItemFilter`.

    Attributes:
        of_users: a, discount of users with many items.
        of_history: b, discount of popular items in the history.
        of_items: c, discount of popular items in the result. Below b, popular items score higher
            than by the cosine.
        recency: r, discount of older items of the history; 0 reads no order.
        nearness: e, discount of pairs of items far apart in a history; 0 reads no order.
        window: Largest distance of a pair where ``nearness`` counts. Memory and time grow with it.

    Example:
        The filter of GF-CF:

        >>> ItemFilterConfig(of_users=1, of_history=0.5, of_items=0.5).recency
        0.0
    """

    of_users: float = Field(0.6, ge=0, le=2)
    of_history: float = Field(0.5, ge=0, le=2)
    of_items: float = Field(0.4, ge=0, le=2)
    recency: float = Field(0.0, ge=0, le=10)
    nearness: float = Field(0.0, ge=0, le=10)
    window: int = Field(50, ge=1, le=4096)


class Distillation(Config):
    """Training of a vector per user and item by the trained towers and a filter of items x items.

    Attributes:
        filter_share: Share of the filter in the teacher's scores; 0 is the towers alone.
        item_filter: The filter.
        temperature: Divisor of the towers' cosines, whose exponentials are added to the filter.
        items: Number of the teacher's best items per user that are targets.
        sharpness: Power of the scores that weights a user's targets.
        epochs: Maximum number of passes over the users.
        learning_rate: Learning rate of Adam.
    """

    filter_share: float = Field(0.5, ge=0, le=1)
    item_filter: ItemFilterConfig = ItemFilterConfig()
    temperature: float = Field(0.2, ge=1e-3, le=10)
    items: int = Field(200, ge=1, le=10_000)
    sharpness: float = Field(5.0, gt=0, le=100)
    epochs: int = Field(8, ge=1)
    learning_rate: float = Field(0.02, gt=0, le=1)
