"""Searches of the log that a bundle was made from."""

from __future__ import annotations

import numpy as np

from recsys.interactions import Interactions
from recsys.store.searches.log import PARTS, SearchLog, SearchLogRequest
from recsys_client.records import Search


def training_searches(log: Interactions, request: SearchLogRequest | None = None) -> SearchLog:
    """A page of the search terms of a log, as :func:`recorded_searches` counts those of a store.

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp"])
        >>> log = Interactions.of(users, items, user=[0], item=[0], time=[10], terms=[1],
        ...     phrases=("", "red lamp"))
        >>> training_searches(log).searches[0].terms
        'red lamp'
    """
    request = request or SearchLogRequest()
    wanted = request.contains.lower()
    matches = np.array([bool(text) and wanted in text.lower() for text in log.phrases], np.bool_)
    rows = np.flatnonzero(matches[log.terms])
    terms, times = log.terms[rows], log.time[rows]
    uses = np.bincount(terms, minlength=len(log.phrases))
    last = np.zeros(len(log.phrases), np.int64)
    np.maximum.at(last, terms, times)
    known = log.clock == "timestamp" and len(rows) > 0
    first_time, last_time = (int(times.min()), int(times.max())) if known else (0, 0)
    used = np.flatnonzero(uses)
    keys = uses if request.order == "uses" else last
    order = sorted(used.tolist(), key=lambda at: (-int(keys[at]), log.phrases[at]))
    page = order[request.offset : request.offset + request.limit]
    rows = rows[np.isin(terms, page)]
    searches = []
    for at in page:
        mine = rows[log.terms[rows] == at]
        series: list[int] = []
        if known:
            parts = (log.time[mine] - first_time) * PARTS // max(last_time - first_time, 1)
            series = np.bincount(np.minimum(parts, PARTS - 1), minlength=PARTS).tolist()
        items = len(np.unique(log.item[mine]))
        latest = int(last[at]) if known else 0
        searches.append(Search(log.phrases[at], len(mine), items, latest, tuple(series)))
    return SearchLog(tuple(searches), len(used), int(uses.sum()), first_time, last_time)
