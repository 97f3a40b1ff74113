"""Filters of attributes: predicates, availability and age."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from recsys.errors import InvalidRequestError
from recsys.feed.candidates import Candidates
from recsys.feed.context import FeedContext
from recsys.feed.stages import Filter, Filtered
from recsys_client.filters import Eq, Exists, Not, Or, Range, parse_filter, to_text
from recsys_client.filters import Filter as Condition

_DAY, _HOUR = 86_400, 3_600


def _parsed(text: str) -> str:
    try:
        return to_text(parse_filter(text))
    except InvalidRequestError as error:
        raise ValueError(error.message) from error


class Predicate(Filter):
    """Keeps the items that fulfil the filter of the request and the one of the pipeline.

    The caller relies on the filter, so that a failure removes all.

    Attributes:
        filter: Filter in its text form, such as 'price < 20'; "" for that of the request alone.
    """

    stage: Literal["predicate"] = "predicate"
    on_failure: Literal["remove", "keep"] = "remove"
    filter: Annotated[str, AfterValidator(lambda text: text and _parsed(text))] = ""

    def condition(self, context: FeedContext) -> Condition | None:
        """The filter of the pipeline."""
        return parse_filter(self.filter) if self.filter else None

    def idle(self, context: FeedContext) -> str:
        """Why nothing is removed."""
        return "" if self.filter or context.request.filter else "there is no filter"

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """Candidates for which all filters are true."""
        conditions = [self.condition(context), context.request.predicate]
        given = [each for each in conditions if each is not None]
        allowed = context.view.matching(given)
        assert allowed is not None
        texts = " and ".join(to_text(each) for each in given)
        return Filtered(allowed.mask[candidates.rows], f"it does not fulfil {texts}")


class Available(Filter):
    """Keeps the items that are available.

    An item that cannot be had must not be offered, so that a failure removes all.

    Attributes:
        column: Column of the catalogue with true or false.
        unknown: Whether items without a value are kept or removed.
    """

    stage: Literal["available"] = "available"
    on_failure: Literal["remove", "keep"] = "remove"
    column: str
    unknown: Literal["keep", "remove"] = "keep"

    def condition(self, context: FeedContext) -> Condition:
        """The column is true."""
        return _or_unknown(Eq(self.column, True), self.column, self.unknown)

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """Candidates that are available."""
        allowed = context.view.columns.rows(self.condition(context))
        return Filtered(allowed.mask[candidates.rows], f"it is not available by '{self.column}'")


class MaximumAge(Filter):
    """Removes old items.

    Offers and news must not be shown after their time, so that a failure removes all.

    Attributes:
        days: Largest age in days at the time of the request.
        column: Column of the catalogue with a time; "" for the time of the first interaction.
        unknown: Whether items without a time are kept or removed.
    """

    stage: Literal["age"] = "age"
    on_failure: Literal["remove", "keep"] = "remove"
    days: float = Field(gt=0)
    column: str = ""
    unknown: Literal["keep", "remove"] = "keep"

    def condition(self, context: FeedContext) -> Condition | None:
        """The time of the column is late enough; the limit changes once per hour."""
        if not self.column:
            return None
        limit = int(context.now - self.days * _DAY) // _HOUR * _HOUR
        return _or_unknown(Range(self.column, ge=limit), self.column, self.unknown)

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """Candidates that are young enough."""
        reason = f"it is older than {self.days:g} days"
        condition = self.condition(context)
        if condition is not None:
            return Filtered(context.view.columns.rows(condition).mask[candidates.rows], reason)
        first, rows = context.view.statistics.first, candidates.rows
        kept = np.full(len(rows), self.unknown == "keep")
        if first is not None:
            known = rows < len(first)
            known[known] &= first[rows[known]] < np.iinfo(np.int64).max
            kept[known] = first[rows[known]] >= context.now - self.days * _DAY
        return Filtered(kept, reason)


def _or_unknown(condition: Condition, column: str, unknown: str) -> Condition:
    return Or([condition, Not(Exists(column))]) if unknown == "keep" else condition
