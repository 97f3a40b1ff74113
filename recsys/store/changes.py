"""The four kinds of change that a store records, and their values checked and frozen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError
from recsys.interactions import FIRST_SECOND, LAST_SECOND
from recsys_client.checks import id_fault

Attribute: TypeAlias = "str | float | bool | tuple[str, ...]"
"""Value of an attribute of an item: a text, a number, a truth value, or several texts."""
Vector: TypeAlias = "npt.NDArray[np.float32]"


@dataclass(frozen=True)
class InteractionRecorded:
    """An interaction of a user with an item.

    Attributes:
        user_id: Id of the user.
        item_id: Id of the item, which the store need not hold.
        time: Seconds since 1970.
        event: Kind of event, such as "view", or None.
        weight: Number above 0, or None.
        context: Values of context columns, by name.
        terms: Search terms that led to the interaction, or "".
        impression_id: Identifier of the impression in which the user saw the item, or "".

    Raises:
        InvalidRequestError: A value is out of range; the error names the field.

    Example:
        >>> InteractionRecorded("ann", "lamp", 1704067200, event="view").item_id
        'lamp'
    """

    user_id: str
    item_id: str
    time: int
    event: str | None = None
    weight: float | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    terms: str = ""
    impression_id: str = ""

    def __post_init__(self) -> None:
        _check_id("user_id", self.user_id)
        _check_id("item_id", self.item_id)
        if self.impression_id:
            _check_id("impression_id", self.impression_id)
        if not isinstance(self.time, int) or not FIRST_SECOND <= self.time <= LAST_SECOND:
            raise InvalidRequestError(
                "time must be whole seconds since 1970 in the years 1 to 9999; got"
                f" {self.time!r:.80}",
                field="time",
            )
        if self.event is not None:
            _check_id("event", self.event)
        if self.weight is not None:
            object.__setattr__(self, "weight", _weight(self.weight))
        for name, value in self.context.items():
            _check_id("context", name)
            _check_id(f"context.{name}", value)
        object.__setattr__(self, "context", MappingProxyType(dict(self.context)))
        _check_text("terms", self.terms)

    def __hash__(self) -> int:
        return hash((self.user_id, self.item_id, self.time))


@dataclass(frozen=True)
class UserDeleted:
    """The removal of a user and of all their earlier interactions.

    Attributes:
        user_id: Id of the user, which may be unknown. Later interactions begin a new history.
    """

    user_id: str

    def __post_init__(self) -> None:
        _check_id("user_id", self.user_id)


@dataclass(frozen=True, eq=False)
class ItemUpserted:
    """An item, new or with new content, which replaces all earlier content of the item.

    Attributes:
        item_id: Id of the item.
        title: Title shown to people, or "".
        text: Further words that describe it, or "".
        attributes: Values by name: a text, a finite number, a truth value, or several texts.
        picture: Bytes of the encoded picture, or None.
        vectors: Ready vectors by space, float32 ``[dimension]``, or None.

    Raises:
        InvalidRequestError: A value is out of range; the error names the field.

    Example:
        >>> item = ItemUpserted("lamp", "Desk lamp", attributes={"price": 20, "tags": ["light"]})
        >>> item.attributes["price"]
        20.0
    """

    item_id: str
    title: str = ""
    text: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    picture: bytes | None = None
    vectors: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        _check_id("item_id", self.item_id)
        _check_text("title", self.title)
        _check_text("text", self.text)
        attributes = {name: _attribute(name, value) for name, value in self.attributes.items()}
        object.__setattr__(self, "attributes", MappingProxyType(attributes))
        if self.picture is not None and not isinstance(self.picture, bytes):
            raise InvalidRequestError("picture must be bytes", field="picture")
        if self.vectors is not None:
            vectors = {name: _vector(name, value) for name, value in self.vectors.items()}
            object.__setattr__(self, "vectors", MappingProxyType(vectors) if vectors else None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ItemUpserted) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((self.item_id, self.title, self.text))

    def _values(self) -> tuple[Any, ...]:
        vectors = self.vectors or {}
        plain = {name: vector.tolist() for name, vector in vectors.items()}
        kinds = {name: type(value) for name, value in self.attributes.items()}  # True == 1.0
        own = (self.item_id, self.title, self.text, dict(self.attributes), kinds, self.picture)
        return (*own, plain)


@dataclass(frozen=True)
class ItemDeleted:
    """The removal of an item.

    Attributes:
        item_id: Id of the item, which may be unknown to the store.
    """

    item_id: str

    def __post_init__(self) -> None:
        _check_id("item_id", self.item_id)


Change: TypeAlias = "InteractionRecorded | UserDeleted | ItemUpserted | ItemDeleted"


@dataclass(frozen=True)
class Entry:
    """A change with its place in the log.

    Attributes:
        sequence: Sequence number, from 1.
        change: The change.
    """

    sequence: int
    change: Change


@dataclass(frozen=True)
class Receipt:
    """The acknowledgement of a write, which is on disk.

    Attributes:
        watermark: Sequence number of the last of the written changes.
        repeated: Whether a write with the same key and changes was acknowledged before; this one
            wrote nothing.
    """

    watermark: int
    repeated: bool


def _check_id(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} must be a string; got {value!r:.80}", field=name)
    if fault := id_fault(value):
        raise InvalidRequestError(f"{name} is {fault}: {value!r:.80}", field=name)
    _check_text(name, value)


def _check_text(name: str, value: object) -> None:
    """Refuse what is no text or cannot be stored as UTF-8 in every database."""
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} must be a string; got {value!r:.80}", field=name)
    if "\0" in value:
        raise InvalidRequestError(f"{name} holds a zero character; remove it", field=name)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequestError(
                f"{name} holds half of a surrogate pair, which is no character", field=name
            ) from error


def _weight(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = _number(value)
        if math.isfinite(number) and number > 0:
            return number
    raise InvalidRequestError(
        f"weight must be finite and above 0; got {value!r:.80}", field="weight"
    )


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _attribute(name: object, value: object) -> Attribute:
    _check_id("attributes", name)
    path = f"attributes.{name}"
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        _check_text(path, value)
        return value
    if isinstance(value, int | float) and math.isfinite(number := _number(value)):
        return number
    if isinstance(value, list | tuple):
        for each in value:
            _check_text(path, each)
        return tuple(value)
    raise InvalidRequestError(
        f"{path} must be a text, a finite number, true or false, or a list of texts; got"
        f" {value!r:.80}",
        field=path,
    )


def _vector(name: object, value: object) -> Vector:
    _check_id("vectors", name)
    try:
        with np.errstate(over="ignore"):
            made = np.array(value, np.float32)
    except (ValueError, TypeError) as error:
        raise InvalidRequestError(
            f"vectors.{name} must be numbers: {error}", field=f"vectors.{name}"
        ) from error
    if made.ndim != 1 or not made.size or not np.isfinite(made).all():
        raise InvalidRequestError(
            f"vectors.{name} must be one row of finite numbers; its shape is {list(made.shape)}",
            field=f"vectors.{name}",
        )
    made.setflags(write=False)
    return made
