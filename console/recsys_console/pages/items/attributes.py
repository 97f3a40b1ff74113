"""Attributes of items as text, and text of a form as attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys_client.errors import InvalidRequestError
from recsys_client.records import ColumnSummary
from recsys_console.rendering.formats import iso

PREFIX = "a."


def shown_value(value: Any, kind: str) -> list[str]:
    """The texts of a value of a column of this type.

    Example:
        >>> shown_value(20.0, "number"), shown_value(True, "boolean"), shown_value(0, "time")
        (['20'], ['yes'], ['1970-01-01T00:00:00Z'])
    """
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, str):
        return [value]
    if isinstance(value, Sequence):
        return [str(each) for each in value]
    if kind == "time":
        return [iso(float(value))]
    return [f"{value:.15g}"]


def shown_attributes(
    attributes: Mapping[str, Any], columns: Sequence[ColumnSummary]
) -> tuple[tuple[str, str], ...]:
    """Name and value of each attribute as text, by name."""
    types = {each.name: each.type for each in columns}
    return tuple(
        (name, ", ".join(shown_value(value, types.get(name, "text"))))
        for name, value in sorted(attributes.items())
    )


def attributes_of(
    form: Mapping[str, str], columns: Sequence[ColumnSummary], present: Mapping[str, Any]
) -> dict[str, Any]:
    """The attributes of an item, from the fields of a form.

    Args:
        form: Texts by the name of the field, ``PREFIX`` and the column; several texts of a value
            are on lines of their own. An empty one has no value.
        columns: Columns of the catalogue.
        present: Attributes of the item now, of which those without a field remain.

    Raises:
        InvalidRequestError: A text is no value of its column.
    """
    values = dict(present)
    for column in columns:
        text = form.get(f"{PREFIX}{column.name}")
        if text is None:
            continue
        values.pop(column.name, None)
        value = _value(text.strip(), column)
        if value is not None:
            values[column.name] = value
    return values


def _value(text: str, column: ColumnSummary) -> Any:
    if not text:
        return None
    if column.type == "texts":
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    if column.type == "boolean":
        return text == "yes"
    if column.type == "number":
        try:
            return float(text)
        except ValueError:
            raise InvalidRequestError(
                f"{column.name} must be a number; got {text!r:.80}", field=column.name
            ) from None
    return text
