"""Changes as rows of the log, and rows as changes."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from recsys.errors import InvalidRequestError, StoreError
from recsys.store.changes import (
    Change,
    Entry,
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    UserDeleted,
    Vector,
)

INTERACTION, USER_DELETED, UPSERT, ITEM_DELETED = 1, 2, 3, 4
Row = dict[str, Any]
_EMPTY: Row = dict.fromkeys(
    (
        *("user_id", "item_id", "time", "event", "weight", "terms", "context", "content"),
        *("vectors", "picture", "impression_id"),
    )
)


def to_row(change: Change) -> Row:
    """The columns of ``entries`` but for the sequence number and the time of writing.

    Example:
        >>> row = to_row(UserDeleted("ann"))
        >>> row["kind"], row["user_id"], row["item_id"]
        (2, 'ann', None)
    """
    if isinstance(change, InteractionRecorded):
        return _EMPTY | {
            "kind": INTERACTION,
            "user_id": change.user_id,
            "item_id": change.item_id,
            "time": change.time,
            "event": change.event,
            "weight": change.weight,
            "terms": change.terms or None,
            "context": _json(change.context) if change.context else None,
            "impression_id": change.impression_id or None,
        }
    if isinstance(change, UserDeleted):
        return _EMPTY | {"kind": USER_DELETED, "user_id": change.user_id}
    if isinstance(change, ItemDeleted):
        return _EMPTY | {"kind": ITEM_DELETED, "item_id": change.item_id}
    content = {"title": change.title, "text": change.text, "attributes": dict(change.attributes)}
    return _EMPTY | {
        "kind": UPSERT,
        "item_id": change.item_id,
        "content": _json(content),
        "vectors": None if change.vectors is None else _packed(change.vectors),
        "picture": change.picture,
    }


def to_change(row: sa.Row[Any]) -> Change:
    """The change of a row of ``entries``.

    Raises:
        StoreError: The row was damaged.
    """
    try:
        return _change(row)
    except (ValueError, TypeError, KeyError, struct.error, InvalidRequestError) as error:
        raise StoreError(
            f"entry {row.sequence} of the store is damaged ({error}); 'recsys store verify' lists"
            " all faults: restore a backup"
        ) from error


def to_entry(row: sa.Row[Any]) -> Entry:
    """The change of a row with its sequence number."""
    return Entry(row.sequence, to_change(row))


def digest(rows: Sequence[Row]) -> bytes:
    """Digest of changes, 16 bytes, by which a key that is used again is compared."""
    made = hashlib.blake2b(digest_size=16)
    for row in rows:
        for name, value in row.items():
            if name == "impression_id" and value is None:
                continue  # as in the digests of stores that knew none
            content = value if isinstance(value, bytes) else repr(value).encode()
            made.update(struct.pack("<Q", len(content)))
            made.update(content)
    return made.digest()


def _change(row: sa.Row[Any]) -> Change:
    if row.kind == INTERACTION:
        return InteractionRecorded(
            *(row.user_id, row.item_id, row.time, row.event, row.weight),
            context={} if row.context is None else json.loads(row.context),
            terms=row.terms or "",
            impression_id=row.impression_id or "",
        )
    if row.kind == USER_DELETED:
        return UserDeleted(row.user_id)
    if row.kind == ITEM_DELETED:
        return ItemDeleted(row.item_id)
    if row.kind != UPSERT:
        raise ValueError(f"no kind of change has the number {row.kind}")
    vectors = None if row.vectors is None else _unpacked(bytes(row.vectors))
    picture = None if row.picture is None else bytes(row.picture)
    return ItemUpserted(row.item_id, **json.loads(row.content), picture=picture, vectors=vectors)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, allow_nan=False, sort_keys=True)


def _packed(vectors: Mapping[str, Vector]) -> bytes:
    """Vectors by name: a JSON list of names and lengths after its size, then float32 values."""
    names = json.dumps([[name, len(vector)] for name, vector in vectors.items()]).encode()
    values = [vector.astype("<f4").tobytes() for vector in vectors.values()]
    return b"".join((struct.pack("<I", len(names)), names, *values))


def _unpacked(content: bytes) -> dict[str, Vector]:
    (size,) = struct.unpack_from("<I", content)
    names = json.loads(content[4 : 4 + size])
    values = np.frombuffer(content[4 + size :], "<f4")
    ends = np.cumsum([length for _, length in names])
    if len(values) != ends[-1]:
        raise ValueError(f"{len(values)} values of vectors, expected {ends[-1]}")
    parts = np.split(values, ends[:-1])
    return {name: part for (name, _), part in zip(names, parts)}
