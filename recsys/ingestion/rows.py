"""The rows of interactions and searches on their way in: numbered, joined, and left out one reason
at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import DataError
from recsys.formats.columns import Unreadable, interactions_frame
from recsys.formats.sources import RESERVED, InteractionColumns
from recsys.formats.tables import present
from recsys.ids import IdMap, Mask
from recsys.ingestion.items import as_table
from recsys.ingestion.ledger import Ledger, numbered
from recsys.ingestion.policy import IngestPolicy
from recsys.interactions import EVENT, ITEM, POSITION, TERMS, TIMESTAMP, USER, WEIGHT

Clock = Literal["timestamp", "position"]
LOG, SEARCHES = "interactions", "searches"
SEARCH_EVENT = "search"
_REMEDY = "mend it, or set bad_rows = 'skip'"


@dataclass(eq=False)
class Gathered:
    """Interactions, then the searches that are interactions of their own, before cleaning.

    Attributes:
        frame: The columns as they were read.
        user: Which of ``users``, -1 where missing, ``[n]``.
        item: Which of ``items``, -1 where missing, ``[n]``.
        users: The different user ids.
        items: The different item ids.
        time: int64 ``[n]``, 0 where missing.
        timeless: Where the time is missing, bool ``[n]``.
        clock: What ``time`` means.
        ledger: The books.
        joined: How many searches gave an interaction its terms.
    """

    frame: pd.DataFrame
    user: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    users: npt.NDArray[Any]
    items: npt.NDArray[Any]
    time: npt.NDArray[np.int64]
    timeless: Mask
    clock: Clock
    ledger: Ledger
    joined: int = 0


def gather(
    interactions: pd.DataFrame, searches: pd.DataFrame | None, policy: IngestPolicy
) -> Gathered:
    """Put both tables into one, with numbers for ids.

    Raises:
        DataError: A column is missing, holds something else, or the tables differ in their clock.
    """
    unreadable: Unreadable = "raise" if policy.bad_rows == "raise" else "missing"
    frame = _typed(interactions, LOG, unreadable)
    clock_column = _clock_column(frame)
    size = len(frame)
    if searches is not None:
        frame = pd.concat(
            [frame, _search_frame(searches, frame, clock_column, unreadable)], ignore_index=True
        )
    user, users = pd.factorize(frame[USER])
    item, items = pd.factorize(frame[ITEM])
    time, timeless = _times(frame, clock_column)
    taken = np.zeros(len(frame), bool)
    if searches is not None:
        keys = pd.DataFrame({USER: user, ITEM: item, TIMESTAMP: time})
        whole = (user >= 0) & (item >= 0) & ~timeless
        interaction, search = _same(keys, whole, size)
        own = frame[TERMS].to_numpy(object, copy=True)
        fill = pd.isna(own[interaction])
        own[interaction[fill]] = own[search[fill]]
        frame[TERMS] = own
        taken[search] = True
    left = ~taken
    rows = {LOG: numbered(size)}
    if searches is not None:
        rows[SEARCHES] = numbered(len(searches))[left[size:]]
    return Gathered(
        frame[left].reset_index(drop=True) if taken.any() else frame,
        user[left],
        item[left],
        np.asarray(users, object),
        np.asarray(items, object),
        time[left],
        timeless[left],
        "timestamp" if clock_column == TIMESTAMP else "position",
        Ledger(rows),
        int(taken.sum()),
    )


def clean(rows: Gathered, policy: IngestPolicy, known: IdMap | None) -> None:
    """Leave out what the policy says, in this order: bad rows, events, weights, unknown items,
    duplicates, users and items with too few interactions.

    Raises:
        DataError: A row is bad, or its item is not among the ``known``, and the policy is "raise".
    """
    frame, ledger = rows.frame, rows.ledger
    bad = policy.bad_rows
    for column, codes in ((USER, rows.user), (ITEM, rows.item)):
        ledger.drop_or_raise(bad, f"missing {column}", codes < 0, frame[column], remedy=_REMEDY)
    if rows.timeless.any():
        times = frame[rows.clock]
        ledger.drop_or_raise(bad, f"missing {rows.clock}", rows.timeless, times, remedy=_REMEDY)
    if policy.events is not None:
        if EVENT not in frame:
            raise DataError("the policy keeps certain events, but the interactions have no 'event'")
        wanted = frame[EVENT].isin(list(policy.events)).to_numpy(bool)
        ledger.drop("event not kept", ~wanted, frame[EVENT])
    if WEIGHT in frame:
        _clean_weights(rows, policy)
    elif policy.min_weight is not None:
        raise DataError("the policy has a 'min_weight', but the interactions have no 'weight'")
    if known is not None:
        unknown = known.index.get_indexer(pd.Index(rows.items, dtype=object)) < 0
        ledger.drop_or_raise(
            policy.unknown_items,
            "the item is not in the items table",
            unknown[rows.item] & (rows.item >= 0) if len(unknown) else rows.item >= 0,
            frame[ITEM],
            remedy="add it there, or set unknown_items = 'skip'",
        )
    if policy.duplicate_interactions != "keep":
        _clean_duplicates(rows, policy)
    _clean_rare(rows, policy)


def _typed(table: pd.DataFrame, name: str, unreadable: Unreadable) -> pd.DataFrame:
    """The columns with the engine's types; those without a meaning of their own are context."""
    there = [str(column) for column in table.columns]
    present([USER, ITEM], there, name)
    if TIMESTAMP in there and POSITION in there:
        raise DataError(f"{name}: has a timestamp and a position; leave out one of them")
    optional = {column: column for column in RESERVED[2:] if column in there}
    columns = InteractionColumns(
        context=tuple(column for column in there if column not in RESERVED), **optional
    )
    return interactions_frame(as_table(table, name), columns, name=name, unreadable=unreadable)


def _search_frame(
    searches: pd.DataFrame, log: pd.DataFrame, clock: str | None, unreadable: Unreadable
) -> pd.DataFrame:
    present([USER, TERMS, ITEM], [str(column) for column in searches.columns], SEARCHES)
    frame = _typed(searches, SEARCHES, unreadable)
    if _clock_column(frame) != clock:
        raise DataError(
            f"the searches must have the same clock as the interactions, '{clock or 'none'}'; they "
            f"have '{_clock_column(frame) or 'none'}'"
        )
    if TERMS not in log:
        log[TERMS] = pd.Series([None] * len(log), dtype=frame[TERMS].dtype)
    if EVENT in log and EVENT not in frame:
        frame[EVENT] = SEARCH_EVENT
    if WEIGHT in log and WEIGHT not in frame:
        frame[WEIGHT] = 1.0
    return frame


def _clock_column(frame: pd.DataFrame) -> str | None:
    return next((column for column in (TIMESTAMP, POSITION) if column in frame), None)


def _times(frame: pd.DataFrame, clock: str | None) -> tuple[npt.NDArray[np.int64], Mask]:
    if clock is None:  # the order of the rows is the order in time
        return np.arange(len(frame), dtype=np.int64), np.zeros(len(frame), bool)
    missing = frame[clock].isna().to_numpy(bool)
    return frame[clock].fillna(0).to_numpy(np.int64), missing


def _same(
    keys: pd.DataFrame, whole: Mask, size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of an interaction and a search with equal keys; the n-th such search goes to the n-th
    such interaction."""
    keys = keys.assign(row=np.arange(len(keys)))[whole]
    on = [*keys.columns[:3], "nth"]
    log, searches = keys[keys["row"] < size], keys[keys["row"] >= size]
    log = log[log[USER].isin(searches[USER])]
    sides = [side.assign(nth=side.groupby(on[:3]).cumcount()) for side in (log, searches)]
    pairs = sides[0].merge(sides[1], on=on, suffixes=("_log", "_search"))
    return pairs["row_log"].to_numpy(np.int64), pairs["row_search"].to_numpy(np.int64)


def _clean_weights(rows: Gathered, policy: IngestPolicy) -> None:
    """Rows below the least weight, then those whose weight cannot be used."""
    column = rows.frame[WEIGHT]
    weight = column.to_numpy(np.float64)
    with np.errstate(over="ignore"):
        stored = weight.astype(np.float32)
    finite: Mask = np.isfinite(stored)
    if policy.weights == "keep" or policy.min_weight is not None:
        reason = "the weight is not a finite number"
        rows.ledger.drop_or_raise(policy.bad_rows, reason, ~finite, column, remedy=_REMEDY)
    if policy.min_weight is not None:
        reason = f"weight below {policy.min_weight:g}"
        rows.ledger.drop(reason, finite & (weight < policy.min_weight), column)
    if policy.weights == "keep":
        small: Mask = finite & ~(stored > 0)
        rows.ledger.drop_or_raise(
            policy.bad_rows, "the weight is not above 0", small, column, remedy=_REMEDY
        )


def _clean_duplicates(rows: Gathered, policy: IngestPolicy) -> None:
    """Rows that say again what another row says, by the policy's measure."""
    kept = np.flatnonzero(rows.ledger.keep)
    kept = kept[np.argsort(rows.time[kept], kind="stable")]
    keys = pd.DataFrame({USER: rows.user[kept], ITEM: rows.item[kept]})
    how: Literal["first", "last"] = "first"
    if policy.duplicate_interactions == "drop-exact":
        keys[TIMESTAMP] = rows.time[kept]
        if EVENT in rows.frame:
            keys[EVENT] = pd.factorize(rows.frame[EVENT])[0][kept]
    elif policy.duplicate_interactions == "keep-last":
        how = "last"
    again = np.zeros(len(rows.user), bool)
    again[kept] = keys.duplicated(keep=how).to_numpy(bool)
    reason = {
        "drop-exact": "the same user, item, time and event again",
        "keep-first": "not the user's first interaction with the item",
        "keep-last": "not the user's last interaction with the item",
    }[policy.duplicate_interactions]
    rows.ledger.drop(reason, again, rows.frame[ITEM])


def _clean_rare(rows: Gathered, policy: IngestPolicy) -> None:
    """Users and items with too few interactions, until none is left."""
    sides = (
        (USER, rows.user, policy.min_user_interactions),
        (ITEM, rows.item, policy.min_item_interactions),
    )
    keep = rows.ledger.keep.copy()
    gone = {column: np.zeros(len(keep), bool) for column, _, _ in sides}
    changed = True
    while changed:
        changed = False
        for column, codes, least in sides:
            if least > 1 and keep.any():
                counts = np.bincount(codes[keep])
                rare = keep & (np.append(counts, 0)[np.minimum(codes, len(counts))] < least)
                gone[column] |= rare
                keep &= ~rare
                changed = changed or bool(rare.any())
    for column, _, least in sides:
        kind = column.removesuffix("_id")
        reason = f"the {kind} has fewer than {least} interactions"
        rows.ledger.drop(reason, gone[column], rows.frame[column])
