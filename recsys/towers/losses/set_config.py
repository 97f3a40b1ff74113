"""The loss of whole users: all items of a user at once, in no order."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recsys.config import Config


class SetSoftmax(Config):
    """One query a user, all the user's items its positives, cross-entropy over every warm item.

    For logs without an order (what was liked, not when), and users who are asked for by their id,
    by their items, or by both. A step's cost is that of users x items, not of interactions x
    items, so that an epoch of tens of thousands of users takes seconds.

    Attributes:
        temperature: Divides the cosine.
        counts: Whether every ``users`` (each user's items share a weight of 1) or all
            ``interactions`` count alike.
        history_dropout: Share of a user's items that the query tower is not shown in a step,
            where it reads a history; all of them are still to be found (denoising, as Mult-DAE,
            Liang et al. 2018).
    """

    name: Literal["set-softmax"] = "set-softmax"
    temperature: float = Field(0.1, gt=0, le=10)
    counts: Literal["users", "interactions"] = "users"
    history_dropout: float = Field(0.5, ge=0, lt=1)
