"""View models as plain values of JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def plain(value: Any) -> Any:
    """A view model as values of JSON: fields by name, without bytes; None for NaN and infinity.

    Example:
        >>> plain({"pair": (1, float("nan"))})
        {'pair': [1, None]}
    """
    if is_dataclass(value):
        found = {each.name: getattr(value, each.name) for each in fields(value)}
        return {name: plain(each) for name, each in found.items() if not isinstance(each, bytes)}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, Iterable):
        return [plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} is no value of JSON")
