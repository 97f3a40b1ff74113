"""The JSON form of a filter: an object with one key, the kind of the predicate.

{"and": [{"eq": {"column": "brand", "value": "acme"}},
{"range": {"column": "price", "ge": 10, "lt": 20}},
{"not": {"exists": {"column": "color"}}}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys_client.errors import InvalidRequestError
from recsys_client.filters.comparisons import Contains, Eq, Exists, In, Range
from recsys_client.filters.reading import TreeSize, at_path
from recsys_client.filters.tree import And, Filter, Not, Or

COMPARISONS: Mapping[str, type[Filter]] = {
    each.kind: each for each in (Eq, In, Range, Exists, Contains)
}
COMBINATIONS: Mapping[str, type[And] | type[Or]] = {"and": And, "or": Or}
_FIELDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "eq": (("column", "value"), ()),
    "in": (("column", "values"), ()),
    "range": (("column",), ("gt", "ge", "lt", "le")),
    "exists": (("column",), ()),
    "contains": (("column", "value"), ()),
}
"""Required and optional keys of each comparison."""


def filter_to_json(filter: Filter) -> dict[str, Any]:
    """The JSON form, which :func:`filter_from_json` reads.

    Example:
        >>> filter_to_json(Eq("brand", "acme") & Range("price", lt=20))["and"][1]
        {'range': {'column': 'price', 'lt': 20}}
    """
    if isinstance(filter, Not):
        return {"not": filter_to_json(filter.part)}
    if isinstance(filter, And | Or):
        return {filter.kind: [filter_to_json(part) for part in filter.parts]}
    if isinstance(filter, In):
        return {"in": {"column": filter.column, "values": list(filter.values)}}
    if isinstance(filter, Range):
        return {"range": {"column": filter.column, **filter.bounds}}
    if isinstance(filter, Eq | Contains):
        return {filter.kind: {"column": filter.column, "value": filter.value}}
    assert isinstance(filter, Exists)
    return {"exists": {"column": filter.column}}


def filter_from_json(value: object, path: str = "filter") -> Filter:
    """The filter of a JSON value, such as ``json.loads`` returns.

    Args:
        value: An object with one key, the kind of the predicate.
        path: Path of the value, for the errors.

    Raises:
        InvalidRequestError: A key is unknown or missing, a value is invalid, or the filter is too
            large; ``field`` is the path of the fault, such as ``filter.and[1].in.values[0]``.

    Example:
        >>> filter_from_json({"not": {"exists": {"column": "color"}}})
        Not(part=Exists(column='color'))
    """
    return _read(value, path, 1, TreeSize())


def _read(value: object, path: str, depth: int, size: TreeSize) -> Filter:
    size.add_predicate(depth, path)
    if not isinstance(value, Mapping) or len(value) != 1:
        raise InvalidRequestError(
            f"{path} must be an object with one key, the kind of the predicate ({_kinds()}); "
            f"got {_shown(value)}",
            field=path,
        )
    ((kind, content),) = value.items()
    inner = f"{path}.{kind}"
    if kind == "not":
        part = _read(content, inner, depth + 1, size)
        return at_path(path, kind, lambda: Not(part))
    if kind in COMBINATIONS:
        if not isinstance(content, list | tuple):
            raise InvalidRequestError(
                f"{inner} must be a list of filters; got {_shown(content)}", field=inner
            )
        filters = enumerate(content)
        parts = [_read(each, f"{inner}[{at}]", depth + 1, size) for at, each in filters]
        return at_path(path, kind, lambda: COMBINATIONS[kind](parts))
    if kind in COMPARISONS:
        _check_keys(content, kind, inner)
        if isinstance(values := content.get("values"), list):
            size.add_values(len(values), f"{inner}.values")
        return at_path(path, kind, lambda: COMPARISONS[kind](**content))
    raise InvalidRequestError(
        f"{path} has the unknown predicate {kind!r:.80}; known: {_kinds()}", field=path
    )


def _check_keys(content: Any, kind: str, path: str) -> None:
    required, optional = _FIELDS[kind]
    expected = ", ".join((*required, *optional))
    if not isinstance(content, Mapping):
        raise InvalidRequestError(
            f"{path} must be an object with the keys {expected}; got {_shown(content)}", field=path
        )
    for key in required:
        if key not in content:
            raise InvalidRequestError(f"{path} has no {key!r}; its keys: {expected}", field=path)
    for key, value in content.items():
        if key not in (*required, *optional):
            raise InvalidRequestError(
                f"{path} has the unknown key {key!r:.80}; its keys: {expected}", field=path
            )
        if value is None:
            raise InvalidRequestError(
                f"{path}.{key} is null; leave the key out, or use exists for missing values",
                field=f"{path}.{key}",
            )


def _kinds() -> str:
    return ", ".join((*COMPARISONS, *COMBINATIONS, "not"))


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return f"the keys {', '.join(map(repr, list(value)[:4]))}" if value else "an empty object"
    return f"{value!r:.80}"
