"""Values and names of a filter: checked, and each in one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from math import isfinite
from numbers import Integral, Real
from typing import TypeAlias

from recsys_client.errors import InvalidRequestError

Value: TypeAlias = str | bool | int | float | datetime
"""A text, truth value, number or time. A stored value is never a ``datetime``: a time becomes its
ISO-8601 text in UTC."""

MAX_TEXT = 512
"""Largest number of characters of the name of a column, and of a text."""
EXACT = 2**53
"""Bound of the whole numbers that float64 represents exactly."""


def checked_name(value: object, path: str) -> str:
    """The name of a column.

    Raises:
        InvalidRequestError: It is not a string, empty, too long, or not Unicode.
    """
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(
            f"{path} must be the name of a column; got {value!r:.80}", field=path
        )
    return _checked_text(value, path)


def checked_value(value: Value, path: str) -> str | bool | int | float:
    """A value in its stored form: whole numbers as int, times as ISO-8601 text in UTC.

    Raises:
        InvalidRequestError: The value has another type, is too long or not finite, a whole number
            is not exact as float64, or a time has no time zone.

    Example:
        >>> may = datetime(2024, 5, 1, tzinfo=timezone.utc)
        >>> checked_value(20.0, "filter"), checked_value(may, "filter")
        (20, '2024-05-01T00:00:00Z')
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _checked_text(value, path)
    if isinstance(value, datetime):
        return _text_of_time(value, path)
    if isinstance(value, Real):
        return _checked_number(value, path)
    raise InvalidRequestError(
        f"{path} must be a text, a number, true or false, or a time; "
        f"got {type(value).__name__} {value!r:.80}",
        field=path,
    )


def checked_values(values: Iterable[Value], path: str, most: int) -> tuple[Value, ...]:
    """The values of an ``in``, at least one.

    Raises:
        InvalidRequestError: There are none or too many, or one is invalid; ``field`` names it.
    """
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise InvalidRequestError(
            f"{path} must be a list of values; got the single value {values!r:.80}", field=path
        )
    found = tuple(values)
    if not found:
        raise InvalidRequestError(
            f"{path} is empty, so no item could pass; give at least one value", field=path
        )
    if len(found) > most:
        raise InvalidRequestError(
            f"{path} has {len(found):,} values; a filter has at most {most:,}", field=path
        )
    return tuple(checked_value(value, f"{path}[{at}]") for at, value in enumerate(found))


def _checked_text(value: str, path: str) -> str:
    if len(value) > MAX_TEXT:
        raise InvalidRequestError(
            f"{path} has {len(value):,} characters; at most {MAX_TEXT} are allowed", field=path
        )
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InvalidRequestError(f"{path} must be Unicode text; got {value!r:.80}", field=path)
    return str(value)


def _checked_number(value: Real, path: str) -> int | float:
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise InvalidRequestError(f"{path} must be a finite number; got {value!r:.80}", field=path)
    if isinstance(value, Integral) and int(value) != number:
        raise InvalidRequestError(
            f"{path} is {value!r:.80}, which has no exact float64; whole numbers go up to 2^53, "
            "and longer codes are texts",
            field=path,
        )
    return int(number) if number.is_integer() and abs(number) <= EXACT else number


def _text_of_time(value: datetime, path: str) -> str:
    if value.utcoffset() is None:
        raise InvalidRequestError(
            f"{path} must be a time with a time zone; got {value!r}: add one, such as "
            "tzinfo=timezone.utc",
            field=path,
        )
    try:
        moment = value.astimezone(timezone.utc)
    except OverflowError:
        raise InvalidRequestError(
            f"{path} must be a time between the years 1 and 9999 in UTC; got {value!r}", field=path
        ) from None
    return moment.replace(tzinfo=None).isoformat() + "Z"
