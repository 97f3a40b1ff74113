"""The inputs of the pages of users: a user, and the changes of a what-if."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query as Parameter
from fastapi import Request

from recsys_client import History, Query

CONTEXT = "context."
"""Beginning of the parameters that hold a value of a context column."""
TEXTS = ("terms", "pipeline", "bundle", "filter", "pinned", "promoted")
"""Inputs that are texts, by the names of their parameters."""
Size = Annotated[int, Parameter(ge=1, le=60)]


@dataclass(frozen=True)
class Inputs:
    """A user, and the changes of a what-if.

    Attributes:
        user: Id of the user; "" for an unknown visitor.
        k: Number of items per list.
        pipeline: Name of the feed pipeline; "" for the one of the user's share.
        drop: Ids of items that are left out of the history.
        terms: Search terms, or "".
        context: Value per context column.
        bundle: Second bundle, "active", "canary" or its version; "" for none.
        filter: Text form of a filter that the items fulfil, or "".
        pinned: Ids of items for the pinned positions of a feed, separated by commas.
        promoted: Ids of items for its promoted positions, separated by commas.

    Example:
        >>> Inputs("ann", drop=("lamp",)).is_changed
        True
    """

    user: str
    k: int = 12
    pipeline: str = ""
    drop: tuple[str, ...] = ()
    terms: str = ""
    context: dict[str, str] = field(default_factory=dict, hash=False)
    bundle: str = ""
    filter: str = ""
    pinned: str = ""
    promoted: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether there is anything but the user as recorded."""
        return bool(self.drop or self.terms or self.context or self.bundle or self.filter)

    @property
    def unchanged(self) -> Inputs:
        """The user as recorded."""
        return Inputs(self.user, self.k, self.pipeline)

    def query(self, history: History | None, reads: Collection[str]) -> Query:
        """The query with the changes.

        Args:
            history: Recorded history; None where the service has none, and nothing is left out.
            reads: Parts of a query that have an effect, as the fields of a ``Query``.
        """
        further: dict[str, Any] = {}
        if self.terms and "terms" in reads:
            further["terms"] = self.terms
        if self.context and "context" in reads:
            further["context"] = self.context
        if not self.drop or history is None:
            return Query(user_id=self.user or None, **further)
        kept = [each for each in history.interactions if each.item_id not in self.drop]
        times = [each.time for each in kept if each.time is not None]
        if "history_times" in reads and kept and len(times) == len(kept):
            further["history_times"] = times
        return Query(history=[each.item_id for each in kept], **further)

    def address(self, path: str, **further: Any) -> str:
        """Address of a page with these inputs.

        Example:
            >>> Inputs("ann", drop=("lamp",)).address("/users/user")
            '/users/user?id=ann&drop=lamp'
        """
        values: list[tuple[str, Any]] = [("id", self.user), *further.items()]
        values += [("drop", each) for each in self.drop]
        values += [(CONTEXT + column, value) for column, value in self.context.items()]
        values += [(name, getattr(self, name)) for name in TEXTS]
        values += [("k", self.k)] if self.k != Inputs.k else []
        return f"{path}?{urlencode([pair for pair in values if pair[1] != ''])}"


def ids_in(text: str) -> tuple[str, ...]:
    """The ids of a text, separated by commas.

    Example:
        >>> ids_in("i1, i2,")
        ('i1', 'i2')
    """
    return tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))


def inputs_of(
    request: Request,
    id: str = "",
    k: Size = Inputs.k,
    drop: Annotated[tuple[str, ...], Parameter()] = (),
) -> Inputs:
    """The inputs in the parameters of a request."""
    context = {
        name.removeprefix(CONTEXT): value.strip()
        for name, value in request.query_params.items()
        if name.startswith(CONTEXT) and value.strip()
    }
    texts = {name: request.query_params.get(name, "").strip() for name in TEXTS}
    return Inputs(id.strip(), k, drop=tuple(dict.fromkeys(drop)), context=context, **texts)
