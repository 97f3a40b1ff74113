"""Limits and error paths while a tree is read from JSON or a message."""

from __future__ import annotations

from collections.abc import Callable

from recsys_client.errors import InvalidRequestError
from recsys_client.filters.tree import MAX_DEPTH, MAX_PREDICATES, MAX_VALUES, Filter


def at_path(path: str, kind: str, build: Callable[[], Filter]) -> Filter:
    """What ``build`` returns; an error of its constructor has the path of the predicate.

    ``path`` is that of the predicate without its kind.
    """
    try:
        return build()
    except InvalidRequestError as error:
        own, found = f"filter.{kind}", f"{path}.{kind}"
        message = error.message.replace(own, found, 1)
        raise InvalidRequestError(message, field=error.field.replace(own, found, 1)) from None


class TreeSize:
    """Size of the part of a tree that has been read, to refuse a large one before the rest."""

    def __init__(self) -> None:
        self._n_predicates = 0
        self._n_values = 0

    def add_predicate(self, depth: int, path: str) -> None:
        """Count a predicate at a depth.

        Raises:
            InvalidRequestError: The tree is too deep, or has too many predicates.
        """
        self._n_predicates += 1
        self._check(depth, MAX_DEPTH, "nested predicates", path)
        self._check(self._n_predicates, MAX_PREDICATES, "predicates", path)

    def add_values(self, n: int, path: str) -> None:
        """Count ``n`` values.

        Raises:
            InvalidRequestError: The tree has too many values.
        """
        self._n_values += n
        self._check(self._n_values, MAX_VALUES, "values", path)

    def _check(self, n: int, most: int, noun: str, path: str) -> None:
        if n > most:
            raise InvalidRequestError(
                f"the filter has more than {most:,} {noun}, at {path}", field=path
            )
