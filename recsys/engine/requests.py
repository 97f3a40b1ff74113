"""Arguments of a notebook as requests: ids of any type, options and pictures."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import InvalidRequestError, suggestion
from recsys.retrieval import Query, Request

_IDS = ("exclude", "history")
"""Options that hold item ids."""


def text_ids(values: Any, name: str) -> list[str]:
    """One id or several as text; integers, and whole floats, become their digits.

    Raises:
        InvalidRequestError: An id is missing, or neither text nor a whole number.

    Example:
        >>> text_ids([7, 12.0], "users"), text_ids("ann", "users")
        (['7', '12'], ['ann'])
    """
    if isinstance(values, str | int | float | np.generic):
        values = [values]
    table = getattr(values, "ndim", 1) != 1  # it would iterate over its columns or rows
    if table or isinstance(values, Mapping | bytes) or not isinstance(values, Iterable):
        raise InvalidRequestError(
            f"{name} must be an id, or a list or column of ids; got {type(values).__name__}",
            field=name,
        )
    return [_text_id(value, position, name) for position, value in enumerate(values)]


def request_of(query: Mapping[str, Any], k: int, options: Mapping[str, Any]) -> Request:
    """The request of a query and of further fields.

    Raises:
        InvalidRequestError: A request has no such field, or a value is invalid.

    Example:
        >>> request_of({"user_id": "ann"}, 5, {"exclude": [7]}).exclude
        ('7',)
    """
    given: dict[str, Any] = {
        name: text_ids(options[name], name) for name in _IDS if options.get(name) is not None
    }
    if "user_id" in options:
        given["user_id"] = text_ids(options["user_id"], "user_id")[0]
    try:
        return Request.of(**{"k": k, **query, **options, **given})
    except TypeError as error:
        allowed = (Request.__dataclass_fields__.keys() | Query.__dataclass_fields__) - {"query"}
        unknown = sorted(options.keys() - allowed)
        if not unknown:
            raise InvalidRequestError(f"an option has a wrong type: {error}") from error
        raise InvalidRequestError(
            f"a request has no option {', '.join(unknown)}{suggestion(unknown[0], allowed)}; its "
            f"options: {', '.join(sorted(allowed))}",
            field=unknown[0],
        ) from None


def picture_bytes(image: Any) -> bytes:
    """The bytes of a picture's file: given as such, by its path, or as a Pillow image.

    Raises:
        InvalidRequestError: The file cannot be read, or the value is none of these.
    """
    if isinstance(image, bytes):
        return image
    if isinstance(image, str | Path):
        try:
            return Path(image).expanduser().read_bytes()
        except OSError as error:
            raise InvalidRequestError(
                f"the picture {image} cannot be read: {error.strerror}", field="image"
            ) from error
    if hasattr(image, "convert"):  # a Pillow image
        content = io.BytesIO()
        image.convert("RGB").save(content, "PNG")
        return content.getvalue()
    raise InvalidRequestError(
        "image must be the path or the bytes of a picture, or a Pillow image; got "
        f"{type(image).__name__}",
        field="image",
    )


def _text_id(value: Any, position: int, name: str) -> str:
    if isinstance(value, str) and value:
        return str(value)
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if is_number and not isinstance(value, bool) and value % 1 == 0:
        return str(int(value))
    raise InvalidRequestError(
        f"{name} must hold ids, text or whole numbers; position {position} holds {value!r:.80}",
        field=f"{name}[{position}]",
    )
