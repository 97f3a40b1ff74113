"""The fields by which a page filters items, from the columns of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from recsys_client.errors import InvalidRequestError
from recsys_client.filters import And, Contains, Eq, Filter, Range, parse_filter
from recsys_client.records import ColumnSummary

PREFIX = "f."
LEAST, MOST = ".min", ".max"


@dataclass(frozen=True)
class FilterField:
    """A field of the form, of one column.

    Attributes:
        name: Name of the column.
        type: Type of its values.
        examples: Some values, without quotes; of numbers and times the smallest and the largest.
        value: Value that the field has now: a text, "yes", "no" or "".
        least: Lower bound that it has now, or "".
        most: Upper bound, or "".

    Example:
        >>> FilterField("price", "number", least="10").parameters
        {'f.price.min': '10'}
    """

    name: str
    type: str
    examples: tuple[str, ...] = ()
    value: str = ""
    least: str = ""
    most: str = ""

    @property
    def has_bounds(self) -> bool:
        """Whether it filters by bounds."""
        return self.type in {"number", "time"}

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of a page's address that give the field its values."""
        named = {"": self.value, LEAST: self.least, MOST: self.most}
        return {f"{PREFIX}{self.name}{end}": text for end, text in named.items() if text}

    @property
    def label(self) -> str:
        """The filter of the field for a person, or "" where it filters nothing."""
        if self.has_bounds:
            if self.least and self.most:
                return f"{self.name}: {self.least} to {self.most}"
            bound = f"from {self.least}" if self.least else f"up to {self.most}"
            return f"{self.name}: {bound}" if self.least or self.most else ""
        return f"{self.name}: {self.value}" if self.value else ""

    def filter(self) -> Filter | None:
        """The filter of the field; None where it filters nothing.

        Raises:
            InvalidRequestError: A bound is no number.
        """
        if self.has_bounds:
            bounds = {"ge": self._bound(self.least), "le": self._bound(self.most)}
            given = {name: value for name, value in bounds.items() if value is not None}
            return Range(self.name, **given) if given else None
        if not self.value:
            return None
        if self.type == "boolean":
            return Eq(self.name, self.value == "yes")
        return (Contains if self.type == "texts" else Eq)(self.name, self.value)

    def _bound(self, text: str) -> float | str | None:
        if not text or self.type == "time":
            return text or None
        try:
            return float(text)
        except ValueError:
            raise InvalidRequestError(
                f"{self.name} is compared with a number; got {text!r:.80}", field=self.name
            ) from None


def fields_of(
    columns: tuple[ColumnSummary, ...], parameters: Mapping[str, str]
) -> tuple[FilterField, ...]:
    """A field per column, with the values that the parameters of a page give."""
    return tuple(
        FilterField(
            each.name,
            each.type,
            tuple(_plain(example) for example in each.examples),
            parameters.get(f"{PREFIX}{each.name}", "").strip(),
            parameters.get(f"{PREFIX}{each.name}{LEAST}", "").strip(),
            parameters.get(f"{PREFIX}{each.name}{MOST}", "").strip(),
        )
        for each in columns
    )


def filter_of(fields: tuple[FilterField, ...], text: str) -> Filter | None:
    """The filter of all fields and of a filter in its text form; None where there is none.

    Raises:
        InvalidRequestError: The text is no filter, or a bound is no number.
    """
    parts = [each for each in (field.filter() for field in fields) if each is not None]
    if text:
        parts.append(parse_filter(text))
    return None if not parts else parts[0] if len(parts) == 1 else And(parts)


def _plain(example: str) -> str:
    """A value of the text form of a filter, without quotes."""
    try:
        return str(json.loads(example)) if example.startswith('"') else example
    except ValueError:
        return example
