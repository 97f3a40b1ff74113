"""Conversion between filters and their protobuf messages."""

from __future__ import annotations

import re
from typing import Any

from recsys_client.errors import InvalidRequestError
from recsys_client.filters.comparisons import Contains, Eq, Exists, In, Range
from recsys_client.filters.json_form import COMBINATIONS, COMPARISONS
from recsys_client.filters.reading import TreeSize, at_path
from recsys_client.filters.tree import And, Filter, Not, Or
from recsys_client.filters.values import Value
from recsys_client.pb.recsys.v1 import filter_pb2 as pb

_BOUNDS = ("gt", "ge", "lt", "le")
_FIELDS = {"in": "in_set", "and": "all_of", "or": "any_of", "not": "negation"}
"""Fields of the message that are not named after the kind of a filter, which is a keyword."""
_KINDS = {field: kind for kind, field in _FIELDS.items()}


def message_path(path: str) -> str:
    """The path of a fault in the message, for its path in a :class:`Filter`.

    Example:
        >>> message_path("filter.and[1].in.values[0]")
        'filter.all_of.filters[1].in_set.values[0]'
    """
    path = re.sub(r"\.(and|or)\[", lambda found: f".{_FIELDS[found[1]]}.filters[", path)
    return re.sub(r"\.(and|or|in|not)\b", lambda found: f".{_FIELDS[found[1]]}", path)


def write_filter(filter: Filter) -> pb.Filter:
    """The message of a filter."""
    field: Any = _FIELDS.get(filter.kind, filter.kind)
    return pb.Filter(**{field: _written(filter)})


def read_filter(message: pb.Filter, path: str = "filter") -> Filter:
    """The filter of a message.

    Args:
        message: Message with a predicate.
        path: Path of the message in the request, for the errors.

    Raises:
        InvalidRequestError: A part is missing or invalid, or the filter is too large; ``field`` is
            the path of the fault, as for :func:`~recsys_client.filters.filter_from_json`.
    """
    return _read(message, path, 1, TreeSize())


def _written(filter: Filter) -> Any:
    """The message of the predicate without its kind."""
    if isinstance(filter, Not):
        return write_filter(filter.part)
    if isinstance(filter, And | Or):
        return pb.FilterList(filters=map(write_filter, filter.parts))
    if isinstance(filter, In):
        return pb.ValueSet(column=filter.column, values=map(_written_value, filter.values))
    if isinstance(filter, Range):
        bounds = {name: _written_value(value) for name, value in filter.bounds.items()}
        return pb.ValueRange(column=filter.column, **bounds)
    if isinstance(filter, Eq | Contains):
        return pb.Comparison(column=filter.column, value=_written_value(filter.value))
    assert isinstance(filter, Exists)
    return pb.ColumnName(column=filter.column)


def _written_value(value: Value) -> pb.FilterValue:
    if isinstance(value, bool):
        return pb.FilterValue(flag=value)
    if isinstance(value, str):
        return pb.FilterValue(text=value)
    assert isinstance(value, int | float)  # a stored time is a text
    return pb.FilterValue(number=value)


def _read(message: pb.Filter, path: str, depth: int, size: TreeSize) -> Filter:
    size.add_predicate(depth, path)
    field: Any = message.WhichOneof("predicate")
    if field is None:
        kinds = (*COMPARISONS, *COMBINATIONS, "not")
        known = ", ".join(_FIELDS.get(each, each) for each in kinds)
        raise InvalidRequestError(f"{path} has no predicate; give one of {known}", field=path)
    kind = _KINDS.get(field, field)
    content, inner = getattr(message, field), f"{path}.{kind}"
    if kind == "not":
        part = _read(content, inner, depth + 1, size)
        return at_path(path, kind, lambda: Not(part))
    if kind in COMBINATIONS:
        parts = [
            _read(each, f"{inner}[{at}]", depth + 1, size)
            for at, each in enumerate(content.filters)
        ]
        return at_path(path, kind, lambda: COMBINATIONS[kind](parts))
    given = {"column": content.column, **_values(content, inner, size)}
    return at_path(path, kind, lambda: COMPARISONS[kind](**given))


def _values(content: Any, path: str, size: TreeSize) -> dict[str, Any]:
    """The values of a comparison, by the name of its attribute."""
    if isinstance(content, pb.ValueSet):
        size.add_values(len(content.values), f"{path}.values")
        values = [_value(each, f"{path}.values[{at}]") for at, each in enumerate(content.values)]
        return {"values": values}
    if isinstance(content, pb.ValueRange):
        given = [name for name in _BOUNDS if content.HasField(name)]
        return {name: _value(getattr(content, name), f"{path}.{name}") for name in given}
    if isinstance(content, pb.Comparison):
        return {"value": _value(content.value, f"{path}.value")}
    return {}


def _value(message: pb.FilterValue, path: str) -> Value:
    kind = message.WhichOneof("value")
    if kind is None:
        raise InvalidRequestError(f"{path} is missing; give a text, number or flag", field=path)
    value: Value = getattr(message, kind)
    return value
