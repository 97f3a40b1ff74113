"""Checks that the parts of a request share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from recsys_client.errors import InvalidRequestError

T = TypeVar("T")
MAX_ID = 512
"""Largest number of characters of an id, and of a context column or value."""


def id_fault(value: str) -> str:
    """Reason why a text cannot be an id, in ingestion as in requests; "" if it can.

    Example:
        >>> id_fault("lamp"), id_fault("\\u00a0"), id_fault("9" * 600)
        ('', 'blank', 'longer than 512 characters')
    """
    if not value.strip():
        return "blank"
    return f"longer than {MAX_ID} characters" if len(value) > MAX_ID else ""


def checked_ids(field: str, values: Sequence[str]) -> tuple[str, ...]:
    """Ids, each a non-empty string, as a tuple."""
    found = checked_sequence(field, "ids", values)
    for position, value in enumerate(found):
        if not isinstance(value, str) or not value:
            raise InvalidRequestError(
                f"{field} must hold ids, non-empty strings; position {position} holds {value!r}",
                field=f"{field}[{position}]",
            )
    return found


def checked_sequence(field: str, noun: str, values: Sequence[T]) -> tuple[T, ...]:
    """A sequence as a tuple; a single value or a mapping is refused."""
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise InvalidRequestError(
            f"{field} must be a sequence of {noun}; got the single value {values!r:.80}",
            field=field,
        )
    return tuple(values)
