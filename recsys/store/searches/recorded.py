"""Searches of the interactions that a store holds, counted by the database."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from recsys.store.databases.schema import ENTRIES
from recsys.store.rows import INTERACTION
from recsys.store.searches.log import PARTS, SearchLog, SearchLogRequest
from recsys.store.store import Store
from recsys_client.records import Search

_TERMS, _TIME = ENTRIES.c.terms, ENTRIES.c.time


def recorded_searches(store: Store, request: SearchLogRequest | None = None) -> SearchLog:
    """A page of the search terms of all recorded interactions.

    The database reads all entries: 0.4 s of processor time per 500,000. An index of the terms would
    refuse long ones in PostgreSQL.

    Raises:
        StoreError: The store cannot be read.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from recsys.store import InteractionRecorded, open_store
        >>> with open_store(Path(tempfile.mkdtemp()) / "store.db") as store:
        ...     _ = store.append([InteractionRecorded("ann", "lamp", 10, terms="red lamp")])
        ...     recorded_searches(store).searches[0].terms
        'red lamp'
    """
    request = request or SearchLogRequest()
    with store.database.reading() as connection:
        where = (ENTRIES.c.kind == INTERACTION) & _TERMS.is_not(None)
        if request.contains:
            found = sa.func.lower(_TERMS).contains(request.contains.lower(), autoescape=True)
            where &= found
        total = connection.execute(
            sa.select(
                sa.func.count(sa.distinct(_TERMS)),
                sa.func.count(),
                sa.func.min(_TIME),
                sa.func.max(_TIME),
            ).where(where)
        ).one()
        uses, last = sa.func.count().label("uses"), sa.func.max(_TIME).label("last")
        by = uses if request.order == "uses" else last
        page = connection.execute(
            sa.select(_TERMS, uses, sa.func.count(sa.distinct(ENTRIES.c.item_id)), last)
            .where(where)
            .group_by(_TERMS)
            .order_by(by.desc(), _TERMS)
            .offset(request.offset)
            .limit(request.limit)
        ).all()
        first_time, last_time = total[2] or 0, total[3] or 0
        series = _series(connection, [row[0] for row in page], first_time, last_time)
    searches = tuple(
        Search(terms, count, items, time, tuple(series[terms]))
        for terms, count, items, time in page
    )
    return SearchLog(searches, total[0], total[1], first_time, last_time)


def _series(
    connection: sa.Connection, terms: list[str], first: int, last: int
) -> dict[str, list[int]]:
    """Number of uses of each of some terms in each part of the time."""
    series: dict[str, list[int]] = defaultdict(lambda: [0] * PARTS)
    if not terms:
        return series
    part = (_TIME - first) * PARTS // max(last - first, 1)
    query = (
        sa.select(_TERMS, part, sa.func.count())
        .where(ENTRIES.c.kind == INTERACTION, _TERMS.in_(terms))
        .group_by(_TERMS, part)
    )
    for each, number, count in connection.execute(query):
        series[each][min(number, PARTS - 1)] += count
    return series
