"""What can be chosen about distillation."""

from __future__ import annotations

from pydantic import Field

from recsys.config import Config


class ItemFilterConfig(Config):
    """How much of what is alike counts; see
    :class:`recsys.towers.ensemble.distillation.item_filter.ItemFilter`.

    Attributes:
        of_users: a; the more items a user met, the less each pair of them says.
        of_met: b; the more users met an item, the less it says of those who did.
        of_items: c; the more users met an item, the less it is proposed. Below b, the popular are
            proposed more often than they would be by the cosine.
        recency: r; the further back in a user's history an item is, the less it says. 0 reads no
            order.
        nearness: e; the further apart two items are in a history, the less they have to do with
            each other. 0 reads no order.
        window: Where ``nearness`` counts, items further apart have nothing to do with each other.
            Memory and time grow with it.
        low_pass: How much of what the log says of tastes at large is added.
        directions: How many tastes that is.

    Example:
        As GF-CF was published for Gowalla:

        >>> ItemFilterConfig(of_users=1, of_met=0.5, of_items=0.5, low_pass=0.3).directions
        256
    """

    of_users: float = Field(0.6, ge=0, le=2)
    of_met: float = Field(0.5, ge=0, le=2)
    of_items: float = Field(0.4, ge=0, le=2)
    recency: float = Field(0.0, ge=0, le=10)
    nearness: float = Field(0.0, ge=0, le=10)
    window: int = Field(50, ge=1, le=4096)
    low_pass: float = Field(0.0, ge=0, le=100)
    directions: int = Field(256, ge=1, le=4096)


class Distillation(Config):
    """The trained towers and a filter of items x items teach a vector for each user and item.

    Attributes:
        filter_share: Share of the filter in the teacher's scores; 0 is the towers alone.
        item_filter: The filter.
        temperature: Divides the towers' cosines, which become scores beside the filter's as powers
            of e.
        items: So many of the teacher's best a user are learned.
        sharpness: The power that scores are raised to before they share a user's weight.
        epochs: Passes over the users, at most.
        learning_rate: Adam's.
    """

    filter_share: float = Field(0.5, ge=0, le=1)
    item_filter: ItemFilterConfig = ItemFilterConfig()
    temperature: float = Field(0.2, ge=1e-3, le=10)
    items: int = Field(200, ge=1, le=10_000)
    sharpness: float = Field(5.0, gt=0, le=100)
    epochs: int = Field(8, ge=1)
    learning_rate: float = Field(0.02, gt=0, le=1)
