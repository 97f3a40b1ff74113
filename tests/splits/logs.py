"""Tiny logs to split, with one line per user."""

from __future__ import annotations

from recsys.ids import IdMap
from recsys.interactions import Interactions


def log(
    lines: dict[str, list[tuple[str, int]]],
    *,
    items: str = "abcdefgh",
    clock: str = "timestamp",
    users: list[str] | None = None,
    **more: object,
) -> Interactions:
    """``{"ann": [("a", 10), ("b", 20)]}``: user, then items with their times."""
    user_ids = IdMap.of("user", users or list(lines))
    item_ids = IdMap.of("item", list(items))
    rows = [(user, item, time) for user, history in lines.items() for item, time in history]
    return Interactions.of(
        user_ids,
        item_ids,
        user=[user_ids.row(user) for user, _, _ in rows],
        item=[item_ids.row(item) for _, item, _ in rows],
        time=[time for _, _, time in rows],
        clock=clock,
        **more,
    )


def read(queries, interactions) -> list[tuple[str, str, str]]:
    """Each query as (user, history, targets), items as one-letter ids."""
    return [
        (
            interactions.users.id(int(queries.user[i])),
            "".join(interactions.items.ids(queries.history(i))),
            "".join(interactions.items.ids(queries.targets(i))),
        )
        for i in range(len(queries))
    ]


def lines(interactions) -> dict[str, str]:
    """Each user's items in order, users without any left out."""
    return {
        user: "".join(interactions.items.ids(interactions.history(row)))
        for row, user in enumerate(interactions.users.index)
        if len(interactions.history(row))
    }
