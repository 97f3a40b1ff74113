"""How a log is split, by the name of the protocol; the splitting itself is in ``protocols``."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from recsys.config import Config

Moment = int | float | str | datetime | date
"""Seconds since 1970, an ISO date or time (UTC where it names no zone), or a quantile in (0, 1)."""


class _Protocol(Config):
    """What all protocols have in common.

    Attributes:
        repeats: What becomes of a held-out item that its own history holds already. Retrieval
            leaves out what was seen, so it cannot be found: "drop" it (counted in the statement)
            or "keep" it as a certain miss.
        candidates: Rank every item of the "catalogue", or only those in the "log"
            (in any part), as tables of published results do.
        validation_sample: At most so many validation queries, drawn by ``seed``; None is all.
            Test queries are never sampled.
        refit: What becomes of the validation part when everything is chosen. "none": it only
            judged; "train-and-validation": towers are trained anew on both parts, up to the
            epoch that was best, and these are the ones that are tested and kept.
        seed: Of every draw that the protocol makes.
    """

    repeats: Literal["drop", "keep"] = "drop"
    candidates: Literal["catalogue", "log"] = "catalogue"
    validation_sample: int | None = Field(default=None, ge=1)
    refit: Literal["none", "train-and-validation"] = "none"
    seed: int = Field(default=0, ge=0)


class LeaveLastOutConfig(_Protocol):
    """Each user's last item is the test, the one before it the validation."""

    protocol: Literal["leave-last-out"] = "leave-last-out"


class GlobalTimeConfig(_Protocol):
    """All of the past is training, all of the future is held out.

    Attributes:
        validation_from: The first moment of validation.
        test_from: The first moment of the test.
        min_history: Queries with a shorter history are left out, and counted.
    """

    protocol: Literal["global-time"] = "global-time"
    validation_from: Moment = 0.8
    test_from: Moment = 0.9
    min_history: int = Field(default=0, ge=0)

    @field_validator("validation_from", "test_from")
    @classmethod
    def _is_moment(cls, value: Moment) -> Moment:
        if isinstance(value, float) and not 0 < value < 1:
            raise ValueError("a fraction is a quantile of the log's times, between 0 and 1")
        if isinstance(value, str):
            seconds_of(value)
        return value

    @model_validator(mode="after")
    def _is_ordered(self) -> GlobalTimeConfig:
        first, second = self.validation_from, self.test_from
        if isinstance(first, float) != isinstance(second, float):
            raise ValueError("validation_from and test_from must both be quantiles or both moments")
        if seconds_of(first) >= seconds_of(second):
            raise ValueError(f"validation_from ({first}) must lie before test_from ({second})")
        return self


class FixedConfig(_Protocol):
    """The publisher's own parts.

    Attributes:
        column: The context column that names each interaction's part: "train", "validation" (or
            "valid") or "test".
        validation_share: Where the publisher gives no validation part, each user's share of
            training interactions that is held out for it; 0 leaves validation empty.
        validation_from: Which of them: "anywhere" in a user's history, drawn by ``seed``, or its
            "end", as where the test is what came later.
        validation_position: Position of the given validation part in a user's history: "after"
            training, or spread evenly "among" it, for a part that was drawn at random without its
            positions. Only for a log of positions.
    """

    protocol: Literal["fixed"] = "fixed"
    column: str = "part"
    validation_share: float = Field(default=0.0, ge=0, lt=1)
    validation_from: Literal["anywhere", "end"] = "anywhere"
    validation_position: Literal["after", "among"] = "after"

    @model_validator(mode="after")
    def _holds_something_out(self) -> FixedConfig:
        if self.validation_from == "end" and self.validation_share == 0:
            raise ValueError(
                "validation_from = 'end' says where validation_share is held out, which is 0:"
                " set validation_share, or leave validation_from out"
            )
        return self


class ColdItemsConfig(_Protocol):
    """A share of the items is withheld from training altogether.

    Attributes:
        share: Of the items met in the log; half of them make the validation, half the test.
        min_history: Queries with a shorter history are left out, and counted.
        warm: Whether warm items are asked for too, so that one training is judged on both: "none",
            or "last", which also holds out each user's last two items among those that were not
            withheld, the last for the test and the one before it for validation
            (as leave-last-out does).
    """

    protocol: Literal["cold-items"] = "cold-items"
    share: float = Field(default=0.1, gt=0, lt=1)
    min_history: int = Field(default=1, ge=0)
    warm: Literal["none", "last"] = "none"


SplitConfig = Annotated[
    LeaveLastOutConfig | GlobalTimeConfig | FixedConfig | ColdItemsConfig,
    Field(discriminator="protocol"),
]


def seconds_of(moment: Moment) -> float:
    """Seconds since 1970; a quantile is returned as it is.

    Raises:
        ValueError: A string that is not an ISO date or time.
    """
    if isinstance(moment, (int, float)):
        return float(moment)
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
    return aware.timestamp()
