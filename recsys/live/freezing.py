"""A snapshot as the tables of a bundle: one catalogue, one log and one matrix per space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue import Catalogue
from recsys.ids import IdMap, Rows
from recsys.interactions import EVENT, Interactions
from recsys.live.snapshot import Snapshot
from recsys.store import Entry, InteractionRecorded, Store, UserDeleted
from recsys.vectors import MaskedVectors

_AT_ONCE = 10_000
_MISSING = "(missing)"


@dataclass(frozen=True, eq=False)
class FrozenSnapshot:
    """The content of a snapshot without deleted items and users.

    Attributes:
        catalogue: The items: those of the bundle in their order, then newer ones.
        log: Interactions of the bundle and of the store.
        vectors: Vectors of the items per space.
        items: Rows in the bundle of its items that are left, int32, ascending.
        users: Rows in the bundle of its users that are left, int32, ascending.
        watermark: Watermark of the snapshot.
    """

    catalogue: Catalogue
    log: Interactions
    vectors: Mapping[str, MaskedVectors]
    items: Rows
    users: Rows
    watermark: int


def freeze(snapshot: Snapshot, store: Store, *, after: int) -> FrozenSnapshot:
    """The content of a snapshot as tables.

    Args:
        snapshot: The snapshot.
        store: The store that it follows.
        after: Watermark of the bundle of the snapshot.
    """
    rows = snapshot.catalogue.rows
    base = snapshot.catalogue.table.catalogue
    catalogue = Catalogue.of(_table(snapshot, rows), base.fields, base.pictures)
    log, users = _log(snapshot, catalogue.ids, rows, _Recorded.of(store, after, snapshot.watermark))
    vectors = {
        name: MaskedVectors(space.vectors[rows], np.array(space.mask[rows]))
        for name, space in snapshot.spaces.items()
    }
    return FrozenSnapshot(
        catalogue, log, vectors, rows[rows < len(base)], users, snapshot.watermark
    )


def _table(snapshot: Snapshot, rows: Rows) -> pa.Table:
    """The table of the items of ``rows``."""
    catalogue = snapshot.catalogue
    upserted = {row: item for row in rows.tolist() if (item := catalogue.upserted(row)) is not None}
    base, newer = catalogue.table.catalogue.table, catalogue.table.table(list(upserted.values()))
    position = {row: len(base) + at for at, row in enumerate(upserted)}
    chosen = pa.array([position.get(row, row) for row in rows.tolist()], pa.int64())
    columns = {name: _joined(base[name], newer[name]).take(chosen) for name in base.column_names}
    return pa.table(columns)


def _joined(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.ChunkedArray:
    if first.type != second.type:
        first, second = (pc.cast(each, pa.string()) for each in (first, second))
    return pa.chunked_array([*first.chunks, *second.chunks], first.type)


@dataclass(frozen=True, eq=False)
class _Recorded:
    """Changes of users in a store.

    Attributes:
        entries: Interactions after the last deletion of their user, in order.
        deleted: Ids of users that were deleted.
    """

    entries: Sequence[tuple[int, InteractionRecorded]]
    deleted: frozenset[str]

    @classmethod
    def of(cls, store: Store, after: int, to: int) -> _Recorded:
        found: list[tuple[int, InteractionRecorded]] = []
        deleted: dict[str, int] = {}
        for entry in _entries(store, after, to):
            if isinstance(entry.change, InteractionRecorded):
                found.append((entry.sequence, entry.change))
            elif isinstance(entry.change, UserDeleted):
                deleted[entry.change.user_id] = entry.sequence
        kept = [each for each in found if each[0] > deleted.get(each[1].user_id, 0)]
        return cls(kept, frozenset(deleted))


def _entries(store: Store, after: int, to: int) -> Iterator[Entry]:
    while entries := store.changes(after, limit=_AT_ONCE):
        yield from (entry for entry in entries if entry.sequence <= to)
        after = entries[-1].sequence
        if after >= to:
            return


def _log(
    snapshot: Snapshot, items: IdMap, rows: Rows, recorded: _Recorded
) -> tuple[Interactions, Rows]:
    """The log over the items of ``rows``, and the rows of the bundle's users that are left."""
    old = snapshot.histories.log
    kept_users = np.array(
        [row for row, user in enumerate(old.users.index) if user not in recorded.deleted], np.int32
    )
    newer = [each for _, each in recorded.entries if each.item_id in items]
    names = old.users.ids(kept_users)
    # Users whose items are all unknown are users, too.
    names += list(
        dict.fromkeys(
            each.user_id
            for _, each in recorded.entries
            if each.user_id not in old.users or each.user_id in recorded.deleted
        )
    )
    users = IdMap.of("user", names)
    item_of, user_of = _positions(rows, len(old.items)), _positions(kept_users, len(old.users))
    keep = (item_of[old.item] >= 0) & (user_of[old.user] >= 0)
    phrases = dict.fromkeys([*old.phrases, *(each.terms for each in newer)])
    phrase_of = {phrase: at for at, phrase in enumerate(phrases)}
    context = {
        name: _extended(ids, [_value(each, name) for each in newer])
        for name, ids in old.context.items()
    }
    more = {
        "user": users.rows([each.user_id for each in newer]),
        "item": items.rows([each.item_id for each in newer]),
        "time": _times(old, newer),
        "weight": np.array([each.weight or 1.0 for each in newer], np.float32),
        "terms": np.array([phrase_of[each.terms] for each in newer], np.int32),
    }
    first: dict[str, Any] = {
        "user": user_of[old.user[keep]],
        "item": item_of[old.item[keep]],
        "time": old.time[keep],
        "weight": old.weight[keep],
        "terms": old.terms[keep],
    }
    log = Interactions.of(
        users,
        items,
        **{name: np.concatenate([first[name], more[name]]) for name in first},
        clock=old.clock,
        phrases=tuple(phrases),
        context=context,
        context_rows={
            name: np.concatenate(
                [old.context_rows[name][keep], ids.rows([_value(each, name) for each in newer])]
            )
            for name, ids in context.items()
        },
    )
    return log, kept_users


def _positions(rows: Rows, size: int) -> Rows:
    """Position of each of the first ``size`` numbers among ``rows``; -1 where it is not there."""
    positions = np.full(size, -1, np.int32)
    inside = rows[rows < size]
    positions[inside] = np.arange(len(inside), dtype=np.int32)
    return positions


def _times(old: Interactions, newer: Sequence[InteractionRecorded]) -> Any:
    """Times of recorded interactions, or positions after those of the log."""
    times = np.array([each.time for each in newer], np.int64)
    if old.clock == "timestamp":
        return times
    positions = np.empty(len(times), np.int64)
    positions[np.argsort(times, kind="stable")] = np.arange(len(times))
    return positions + int(old.time.max(initial=-1)) + 1


def _value(each: InteractionRecorded, column: str) -> str:
    given = each.event if column == EVENT else each.context.get(column)
    return _MISSING if given is None else given


def _extended(ids: IdMap, values: Sequence[str]) -> IdMap:
    return IdMap.of(ids.kind, dict.fromkeys([*map(str, ids.index), *values]))
