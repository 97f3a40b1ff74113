"""Rows of interactions and searches on their way in: encoded, joined, and filtered by a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError
from recsys.formats.columns import (
    TEXT,
    Unreadable,
    UnreadColumn,
    UnreadValues,
    interactions_table,
)
from recsys.formats.sources import RESERVED, InteractionColumns
from recsys.ids import IdMap, Mask
from recsys.ingestion.id_forms import lookalike
from recsys.ingestion.id_rules import drop_unusable_ids, unusable_values
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.row_filter import RowFilter, row_numbers
from recsys.interactions import (
    EVENT,
    ITEM,
    POSITION,
    TERMS,
    TIMESTAMP,
    USER,
    WEIGHT,
    check_kinds,
)
from recsys.tables import TableLike, as_table, factorize, require_columns
from recsys_client.checks import MAX_ID

Clock = Literal["timestamp", "position"]
Codes = npt.NDArray[np.int64]
LOG, SEARCHES = "interactions", "searches"
SEARCH_EVENT = "search"
_REMEDY = "fix it, or set bad_rows = 'skip'"
_NOT_FINITE = "the weight is not a finite number"


@dataclass(eq=False)
class RawInteractions:
    """Interactions, then the searches that become interactions, before cleaning.

    Attributes:
        table: Columns as they were read.
        user: Codes of ``users``, -1 where missing, ``[n]``.
        item: Codes of ``items``, -1 where missing, ``[n]``.
        users: Distinct user ids.
        items: Distinct item ids.
        time: int64 ``[n]``, 0 where missing.
        timeless: Rows without a time, bool ``[n]``.
        clock: Meaning of ``time``.
        rows: Rows that are kept.
        joined: Number of searches that gave an interaction its terms.
        unread: Values that could not be read, per column ``[n]``.
    """

    table: pa.Table
    user: Codes
    item: Codes
    users: list[str]
    items: list[str]
    time: Codes
    timeless: Mask
    clock: Clock
    rows: RowFilter
    joined: int = 0
    unread: list[UnreadColumn] = field(default_factory=list)


def combine(
    interactions: TableLike,
    searches: TableLike | None,
    policy: IngestPolicy,
    unread: Mapping[str, UnreadValues],
) -> RawInteractions:
    """Put both tables into one, with codes for ids; ``unread`` has what was not read before."""
    found = {name: unread.get(name) or UnreadValues() for name in (LOG, SEARCHES)}
    refuse = policy.bad_rows == "raise"
    table = _typed(interactions, LOG, "raise" if refuse else found[LOG])
    clock = _clock_of(table)
    size = len(table)
    if searches is not None:
        more = _search_table(searches, table, clock, "raise" if refuse else found[SEARCHES])
        table = pa.concat_tables([table, more], promote_options="default")
    user, users = factorize(table[USER])
    item, items = factorize(table[ITEM])
    time, timeless = _times(table, clock)
    numbers, joined = {LOG: row_numbers(size)}, 0
    lost = [_padded(each, 0, len(table) - size) for each in found[LOG].columns]
    lost += [_padded(each, size, 0) for each in found[SEARCHES].columns]
    if searches is not None:
        keys = pd.DataFrame({USER: user, ITEM: item, TIMESTAMP: time})
        interaction, search = _pairs(keys, (user >= 0) & (item >= 0) & ~timeless, size)
        source = np.arange(len(table))
        without = table[TERMS].is_null().to_numpy()[interaction]
        source[interaction[without]] = search[without]
        left = np.ones(len(table), bool)
        left[search] = False
        terms = table[TERMS].take(pa.array(source))
        table = table.set_column(table.column_names.index(TERMS), TERMS, terms)
        table = table.filter(pa.array(left))
        user, item, time, timeless = user[left], item[left], time[left], timeless[left]
        lost = [replace(each, values=each.values.filter(pa.array(left))) for each in lost]
        numbers[SEARCHES] = row_numbers(len(left) - size)[left[size:]]
        joined = len(search)
    kind: Clock = "timestamp" if clock == TIMESTAMP else "position"
    rows = RowFilter(numbers)
    return RawInteractions(
        table, user, item, users, items, time, timeless, kind, rows, joined, lost
    )


def clean(raw: RawInteractions, policy: IngestPolicy, known: IdMap | None) -> None:
    """Apply the policy, in this order: bad rows, events, weights, unknown items, duplicates, users
    and items with too few interactions.
    """
    table, drop = raw.table, raw.rows.drop
    _drop_unread(raw, policy)
    missing = {USER: raw.user < 0, ITEM: raw.item < 0}
    if raw.timeless.any():
        missing[raw.clock] = raw.timeless
    for column, gone in missing.items():
        reason = f"missing {column}"
        drop(reason, gone, table[column], policy=policy.bad_rows, remedy=_REMEDY)
    for column, codes, ids in ((USER, raw.user, raw.users), (ITEM, raw.item, raw.items)):
        drop_unusable_ids(
            raw.rows, column, codes, ids, table[column], policy=policy.bad_rows, remedy=_REMEDY
        )
    _miss_unusable_context(raw, policy)
    table = raw.table
    if policy.events is not None:
        kinds = policy.events.keys() - {SEARCH_EVENT}  # every search may have been joined
        check_kinds(sorted(kinds), _kinds(table), key="policy.events")
        wanted = pc.is_in(table[EVENT], value_set=pa.array(policy.events, TEXT))
        drop("event not kept", ~wanted.to_numpy(), table[EVENT])
    if policy.min_weight is not None:
        _drop_light(raw, policy, policy.min_weight)
    if WEIGHT in table.column_names and policy.weights == "keep":
        _drop_unusable_weights(raw, policy)
    if known is not None:
        unknown = np.append(known.index.get_indexer(pd.Index(raw.items, dtype=object)) < 0, False)
        alike = _lookalike(raw, unknown, known)
        drop(
            f"the item is not in the items table{alike if policy.unknown_items == 'skip' else ''}",
            unknown[raw.item],
            table[ITEM],
            policy=policy.unknown_items,
            remedy=f"add it there{alike}, or set unknown_items = 'skip'",
        )
    if policy.duplicate_interactions != "keep":
        _drop_duplicates(raw, policy)
    _drop_rare(raw, policy)


def _lookalike(raw: RawInteractions, unknown: Mask, known: IdMap) -> str:
    return lookalike((raw.items[code] for code in np.flatnonzero(unknown[:-1])[:100]), known)


def _drop_unread(raw: RawInteractions, policy: IngestPolicy) -> None:
    """Drop rows whose user, item, time or weight could not be read; a weight only if it is used."""
    unused = () if policy.weights == "keep" or policy.min_weight is not None else (WEIGHT,)
    for unread in raw.unread:
        record = raw.rows.miss if unread.column in unused else raw.rows.drop
        reason = f"expected {unread.expected}"
        record(reason, unread.values.is_valid().to_numpy(), unread.values, column=unread.column)


def _padded(unread: UnreadColumn, before: int, after: int) -> UnreadColumn:
    """The same values between rows of other tables."""
    chunks = [pa.nulls(before, TEXT), *unread.values.chunks, pa.nulls(after, TEXT)]
    return replace(unread, values=pa.chunked_array(chunks, TEXT))


def _miss_unusable_context(raw: RawInteractions, policy: IngestPolicy) -> None:
    for name in raw.table.column_names:
        if name in RESERVED and name != EVENT:
            continue
        column = raw.table[name]
        unusable = unusable_values(*factorize(column))
        if unusable.any():
            reason = f"blank or longer than {MAX_ID} characters"
            raw.rows.miss(
                reason, unusable, column, column=name, policy=policy.bad_rows, remedy=_REMEDY
            )
            known = pc.if_else(pa.array(unusable), pa.scalar(None, column.type), column)
            raw.table = raw.table.set_column(raw.table.column_names.index(name), name, known)


def _typed(data: TableLike, name: str, unreadable: Unreadable) -> pa.Table:
    """The columns with the engine's types; columns without a reserved name are context."""
    table = as_table(data, name)
    names = table.column_names
    require_columns([USER, ITEM], names, name)
    if TIMESTAMP in names and POSITION in names:
        raise DataError(f"{name}: has a timestamp and a position; leave out one of them")
    optional = {column: column for column in RESERVED[2:] if column in names}
    columns = InteractionColumns(
        context=tuple(column for column in names if column not in RESERVED), **optional
    )
    return interactions_table(table, columns, name=name, unreadable=unreadable)


def _search_table(
    searches: TableLike, log: pa.Table, clock: str | None, unreadable: Unreadable
) -> pa.Table:
    raw = as_table(searches, SEARCHES)
    require_columns([USER, TERMS, ITEM], raw.column_names, SEARCHES)
    table = _typed(raw, SEARCHES, unreadable)
    if _clock_of(table) != clock:
        raise DataError(
            f"the searches must have the same clock as the interactions, '{clock or 'none'}'; they "
            f"have '{_clock_of(table) or 'none'}'"
        )
    for column, value in ((EVENT, pa.scalar(SEARCH_EVENT, TEXT)), (WEIGHT, pa.scalar(1.0))):
        if column in log.column_names and column not in table.column_names:
            table = table.append_column(column, pa.repeat(value, len(table)))
    return table


def _clock_of(table: pa.Table) -> str | None:
    return next((name for name in (TIMESTAMP, POSITION) if name in table.column_names), None)


def _times(table: pa.Table, clock: str | None) -> tuple[Codes, Mask]:
    if clock is None:  # the order of the rows is the order in time
        return np.arange(len(table), dtype=np.int64), np.zeros(len(table), bool)
    return table[clock].fill_null(0).to_numpy(), table[clock].is_null().to_numpy()


def _pairs(keys: pd.DataFrame, whole: Mask, size: int) -> tuple[Codes, Codes]:
    """Pairs of an interaction and a search with equal keys: the n-th such search belongs to the
    n-th such interaction."""
    on = list(keys.columns)
    keys = keys.assign(row=np.arange(len(keys)))[whole]
    log, searches = keys[keys["row"] < size], keys[keys["row"] >= size]
    log = log[log[USER].isin(searches[USER])]
    sides = [side.assign(nth=side.groupby(on).cumcount()) for side in (log, searches)]
    pairs = sides[0].merge(sides[1], on=[*on, "nth"], suffixes=("_log", "_search"))
    return pairs["row_log"].to_numpy(np.int64), pairs["row_search"].to_numpy(np.int64)


def weights(raw: RawInteractions, policy: IngestPolicy) -> npt.NDArray[np.float32]:
    """Weight of each row, float32 ``[n]``: that of its event, times that of the log's column."""
    made = np.ones(len(raw.table))
    if policy.events is not None:
        kinds = list(policy.events)
        rows = pc.index_in(raw.table[EVENT], value_set=pa.array(kinds, TEXT)).fill_null(-1)
        made = np.array([*policy.events.values(), 1.0])[rows.to_numpy()]
    if WEIGHT in raw.table.column_names and policy.weights == "keep":
        made = made * raw.table[WEIGHT].to_numpy()
    with np.errstate(over="ignore"):
        return made.astype(np.float32)


def _kinds(table: pa.Table) -> dict[str, int]:
    """Number of rows of each kind of event."""
    if EVENT not in table.column_names:
        raise DataError(
            "policy.events names kinds of event, and the interactions have none: name their column"
            f" with columns = {{ {EVENT} = ... }} of data.interactions, or leave policy.events out"
        )
    counts = pc.value_counts(table[EVENT].drop_null()).to_pylist()
    return {each["values"]: each["counts"] for each in counts}


def _drop_light(raw: RawInteractions, policy: IngestPolicy, least: float) -> None:
    """Drop rows whose weight in the log's column is missing or below ``least``."""
    if WEIGHT not in raw.table.column_names:
        raise DataError("the policy has a 'min_weight', but the interactions have no 'weight'")
    column = raw.table[WEIGHT]
    weight = column.to_numpy()
    with np.errstate(over="ignore"):
        finite = np.isfinite(weight.astype(np.float32))
    raw.rows.drop(_NOT_FINITE, ~finite, column, policy=policy.bad_rows, remedy=_REMEDY)
    raw.rows.drop(f"weight below {least:g}", weight < least, column)


def _drop_unusable_weights(raw: RawInteractions, policy: IngestPolicy) -> None:
    """Drop rows whose weight, times that of the event, is not a positive float32."""
    column, weight = raw.table[WEIGHT], weights(raw, policy)
    finite = np.isfinite(weight)
    for reason, gone in ((_NOT_FINITE, ~finite), ("the weight is not above 0", ~(weight > 0))):
        raw.rows.drop(reason, gone, column, policy=policy.bad_rows, remedy=_REMEDY)


def _drop_duplicates(raw: RawInteractions, policy: IngestPolicy) -> None:
    kind = policy.duplicate_interactions
    kept = np.flatnonzero(raw.rows.keep)
    strength = weights(raw, policy)[kept] if kind == "keep-strongest" else np.zeros(len(kept))
    kept = kept[np.lexsort((raw.time[kept], strength))]
    keys = {USER: raw.user[kept], ITEM: raw.item[kept]}
    reason = f"not the user's {kind.removeprefix('keep-')} interaction with the item"
    if kind == "drop-exact":
        reason = "the same user, item, time and event again"
        keys[TIMESTAMP] = raw.time[kept]
        if EVENT in raw.table.column_names:
            keys[EVENT] = factorize(raw.table[EVENT])[0][kept]
    again = np.zeros(len(raw.user), bool)
    keep: Literal["first", "last"] = "last" if kind in ("keep-last", "keep-strongest") else "first"
    again[kept] = pd.DataFrame(keys).duplicated(keep=keep).to_numpy(bool)
    raw.rows.drop(reason, again, raw.table[ITEM])


def _drop_rare(raw: RawInteractions, policy: IngestPolicy) -> None:
    """Drop users and items with too few interactions, until none is left."""
    sides = (
        (USER, raw.user, policy.min_user_interactions),
        (ITEM, raw.item, policy.min_item_interactions),
    )
    keep = raw.rows.keep.copy()
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
        raw.rows.drop(reason, gone[column], raw.table[column])
