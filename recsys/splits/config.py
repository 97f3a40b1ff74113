"""Configurations of splits, by the name of the protocol."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from recsys.config import Config
from recsys.interactions import FIRST_SECOND, LAST_SECOND
from recsys.splits.repeats import Repeats

Moment = int | float | str | datetime | date
"""Seconds since 1970, an ISO date or time (UTC where it names no zone), or a quantile in (0, 1)."""


class _Protocol(Config):
    """Options of all protocols.

    Attributes:
        target_events: Kinds of event that validation and test queries have as targets, such as
            ``["purchase"]``; None for all. Histories hold every kind, and training reads every
            kind.
        repeats: Policy for held-out items that are in the history of their own query, which
            retrieval leaves out. "drop" leaves them out as targets, and counts them; "keep" keeps
            them, as certain misses; "keep-last" keeps them and leaves the earlier interactions
            with the item out of the query's history; "keep-strongest" does so where the held-out
            interaction has a greater weight than all of these, as a purchase after views, and
            drops and counts the others.
        candidates: Items that are ranked: the whole "catalogue", or only those in the "log" (in any
            part), as in tables of published results.
        validation_sample: Largest number of validation queries, drawn by ``seed``; None takes all.
            Test queries are never sampled.
        refit: Whether the towers that are tested and published are trained again on training and
            validation together, up to the best epoch.
        seed: Seed of every draw of the protocol.
    """

    target_events: tuple[str, ...] | None = Field(default=None, min_length=1)
    repeats: Repeats = "drop"
    candidates: Literal["catalogue", "log"] = "catalogue"
    validation_sample: int | None = Field(default=None, ge=1)
    refit: Literal["none", "train-and-validation"] = "none"
    seed: int = Field(default=0, ge=0)


class LeaveLastOutConfig(_Protocol):
    """Each user's last item is the test, the one before it the validation."""

    protocol: Literal["leave-last-out"] = "leave-last-out"


class GlobalTimeConfig(_Protocol):
    """Interactions before one moment are training, later ones are held out.

    Attributes:
        validation_from: First moment of validation.
        test_from: First moment of the test.
        min_history: Length of the shortest history of a query; others are left out, and counted.
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
        if isinstance(value, int) and not FIRST_SECOND <= value <= LAST_SECOND:
            raise ValueError("a number is in seconds since 1970, of the years 1 to 9999")
        if isinstance(value, str):
            seconds_of(value)
        return value

    @model_validator(mode="after")
    def _is_ordered(self) -> GlobalTimeConfig:
        first, second = self.validation_from, self.test_from
        if isinstance(first, float) != isinstance(second, float):
            raise ValueError(
                "validation_from and test_from must both be quantiles, such as validation_from ="
                " 0.8 and test_from = 0.9 (the defaults), or both moments"
            )
        if seconds_of(first) >= seconds_of(second):
            raise ValueError(f"validation_from ({first}) must lie before test_from ({second})")
        return self


class FixedConfig(_Protocol):
    """The publisher's own parts.

    Attributes:
        column: Context column with the part of each interaction: "train", "validation" (or
            "valid") or "test".
        validation_share: Share of each user's training interactions that is held out for
            validation where the publisher gives no such part; 0 leaves validation empty.
        validation_from: Position of these interactions: "anywhere" in a user's history, drawn by
            ``seed``, or at its "end", which suits a test of later interactions.
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
        share: Share of the items in the log; half of them are for validation, half for the test.
        min_history: Length of the shortest history of a query; others are left out, and counted.
        warm: Whether warm items are targets too, so that one training is evaluated on both: "none",
            or "last", which also holds out each user's last two items that were not withheld, as
            leave-last-out does.
    """

    protocol: Literal["cold-items"] = "cold-items"
    share: float = Field(default=0.1, gt=0, lt=1)
    min_history: int = Field(default=1, ge=0)
    warm: Literal["none", "last"] = "none"


SplitConfig = Annotated[
    LeaveLastOutConfig | GlobalTimeConfig | FixedConfig | ColdItemsConfig,
    Field(discriminator="protocol"),
]


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise ValueError(
            f"{text!r:.80} is no ISO date or time: give validation_from and test_from both as in"
            " 2024-01-31 or 2024-01-31T12:00:00Z, or as quantiles, such as 0.85"
        ) from error


def seconds_of(moment: Moment) -> float:
    """Seconds since 1970; a quantile is returned as it is.

    Raises:
        ValueError: A string that is not an ISO date or time.
    """
    if isinstance(moment, (int, float)):
        return float(moment)
    if isinstance(moment, str):
        moment = _iso(moment)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
    return aware.timestamp()
