"""The text form of a filter, such as ``brand = "acme" and price < 20 and not sold_out``."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from recsys_client.errors import InvalidRequestError
from recsys_client.filters.comparisons import Contains, Eq, Exists, In, Range
from recsys_client.filters.tree import And, Filter, Not, Or
from recsys_client.filters.values import Value

if TYPE_CHECKING:
    from recsys_client.filters.parser import FilterSyntaxError

MAX_CHARACTERS = 100_000
"""Largest number of characters of a filter as text."""
_KEYWORDS = {"and", "or", "not", "in", "between", "contains", "exists", "is", "missing"}
_KEYWORDS |= {"true", "false"}
"""Words that are the name of a column only in backticks."""
_NAME = re.compile(r"[^\W\d][\w.-]*")
_OPERATORS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_MIRRORED = {"gt": "<", "ge": "<="}
_SHOWN = 60
"""Largest number of characters of a line that an error shows on each side of its position."""


def parse_filter(text: str) -> Filter:
    """The filter that a text states.

    Raises:
        InvalidRequestError: The text is not a filter, or the filter is too large; the message has
            the position, the expected continuation and the line with a mark below the position.

    Example:
        >>> parse_filter('brand in ("acme", "apex") and 10 <= price < 20').columns
        ('brand', 'price')
    """
    from recsys_client.filters.parser import FilterSyntaxError, parse  # loads lark

    if not isinstance(text, str):
        raise InvalidRequestError(f"filter must be text; got {text!r:.80}", field="filter")
    if len(text) > MAX_CHARACTERS:
        raise InvalidRequestError(
            f"filter has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed",
            field="filter",
        )
    try:
        return parse(text)
    except FilterSyntaxError as error:
        raise InvalidRequestError(_message(text, error), field="filter") from None


def to_text(filter: Filter) -> str:
    """The text of a filter, which :func:`parse_filter` reads as an equal filter.

    Example:
        >>> to_text(Eq("brand", "acme") & Range("price", lt=20) & ~Eq("sold_out", True))
        '(brand = "acme" and price < 20) and not sold_out'
    """
    if isinstance(filter, And | Or):
        return f" {filter.kind} ".join(_enclosed(part, filter) for part in filter.parts)
    if isinstance(filter, Not):
        return _negated(filter)
    name = _name(filter.columns[0])
    if isinstance(filter, Exists):
        return f"exists({name})"
    if isinstance(filter, Eq):
        return name if filter.value is True else f"{name} = {value_text(filter.value)}"
    if isinstance(filter, Contains):
        return f"{name} contains {value_text(filter.value)}"
    if isinstance(filter, In):
        return f"{name} in {_list(filter)}"
    assert isinstance(filter, Range)
    return _range(name, filter.bounds)


def _enclosed(part: Filter, combination: Filter) -> str:
    """The text of a part, in parentheses where it would be read otherwise."""
    same = isinstance(part, type(combination))
    weaker = isinstance(part, Or) and len(part.parts) > 1
    return f"({to_text(part)})" if same or weaker else to_text(part)


def _negated(filter: Not) -> str:
    part = filter.part
    if isinstance(part, Exists):
        return f"{_name(part.column)} is missing"
    if isinstance(part, Eq) and part.value is not True:
        return f"{_name(part.column)} != {value_text(part.value)}"
    if isinstance(part, In):
        return f"{_name(part.column)} not in {_list(part)}"
    return f"not ({to_text(part)})" if isinstance(part, And | Or) else f"not {to_text(part)}"


def _list(filter: In) -> str:
    return f"({', '.join(map(value_text, filter.values))})"


def _range(name: str, bounds: dict[str, Value]) -> str:
    if len(bounds) == 1:
        ((bound, value),) = bounds.items()
        return f"{name} {_OPERATORS[bound]} {value_text(value)}"
    (low, least), (high, most) = bounds.items()
    return f"{value_text(least)} {_MIRRORED[low]} {name} {_OPERATORS[high]} {value_text(most)}"


def _name(column: str) -> str:
    if _NAME.fullmatch(column) and column.lower() not in _KEYWORDS:
        return column
    return "`" + column.replace("`", "``") + "`"


def value_text(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)


def _message(text: str, error: FilterSyntaxError) -> str:
    """The error with the line of the text and a mark below its position."""
    start = text.rfind("\n", 0, error.position) + 1
    line, column = text[start:].split("\n")[0], error.position - start
    first = max(0, column - _SHOWN)
    shown = line[first : column + _SHOWN].replace("\t", " ")
    return (
        f"the filter cannot be read at character {error.position + 1}: {error.reason}\n"
        f"  {shown}\n  {' ' * (column - first)}^"
    )
