"""The impressions of a store with their labels, as a table from which a ranker is trained."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
import sqlalchemy as sa

from recsys.errors import DataError
from recsys.files import atomic_file
from recsys.interactions import ITEM, USER, WEIGHT
from recsys.store.databases.schema import ENTRIES, IMPRESSIONS
from recsys.store.impressions.impression import Impression
from recsys.store.impressions.packing import to_impression
from recsys.store.rows import INTERACTION

if TYPE_CHECKING:
    from recsys.store.store import Store

FEATURE = "feature."
"""Prefix of the columns with features."""
_BATCH = 500


@dataclass(frozen=True)
class _Label:
    """The interactions with one shown item: the time of the first, and the largest weight."""

    time: int
    event: str | None
    weight: float | None


def read_impressions(store: Store, *, after: str = "", limit: int = _BATCH) -> list[Impression]:
    """The first ``limit`` impressions with a request id above ``after``, ordered by request id."""
    query = (
        sa.select(IMPRESSIONS)
        .where(IMPRESSIONS.c.request_id > after)
        .order_by(IMPRESSIONS.c.request_id)
        .limit(limit)
    )
    with store.database.reading() as connection:
        return [to_impression(row) for row in connection.execute(query)]


def impression_table(
    store: Store,
    *,
    events: Collection[str] = (),
    min_age: float = 0.0,
    pipelines: Collection[str] = (),
    bundles: Collection[str] = (),
) -> pa.Table:
    """Every shown item of every impression, in the order of the requests and positions.

    An item was taken if an interaction with it names the impression.

    Args:
        store: The store.
        events: Kinds of event that count as taking; all if there are none.
        min_age: Age in seconds of the youngest impressions: younger ones may not be answered yet.
        pipelines: Names of pipelines whose impressions are read; all if there are none.
        bundles: Versions of bundles whose impressions are read; all if there are none.

    Returns:
        One row per item, with the columns of a training table of ``recsys.ranking``: request (its
        number in the table), time (int64 seconds), item_id, taken, weight (1), history and terms
        (lists of texts, oldest first), and one float32 column ``feature.NAME`` per feature, null
        where an impression has no such feature. Further request_id, user_id, bundle_version,
        pipeline, pipeline_version, watermark, position (from 1), slot, score, propensity,
        request_json, and taken_time, taken_event and taken_weight, null unless taken.

    Raises:
        StoreError: The store cannot be read, or an impression was damaged.
    """
    youngest, after, count = time.time() - min_age, "", 0
    parts: list[pa.Table] = [_part([], {}, 0)]
    while found := read_impressions(store, after=after):
        after = found[-1].request_id
        shown = [
            each
            for each in found
            if (not min_age or each.time <= youngest)
            and (not pipelines or each.pipeline in pipelines)
            and (not bundles or each.bundle_version in bundles)
        ]
        labels = _labels(store, [each.request_id for each in shown], events)
        for group in _with_same_features(shown):
            parts.append(_part(list(group), labels, count))
            count += len(group)
    return pa.concat_tables(parts, promote_options="default")


def export_impressions(store: Store, file: Path, **selection: Any) -> dict[str, int]:
    """Write the table of :func:`impression_table` to a parquet file.

    Args:
        store: The store.
        file: File to write; an earlier one is replaced.
        selection: Arguments of :func:`impression_table`.

    Returns:
        Number of impressions, of their items, and of taken items.

    Raises:
        DataError: The file cannot be written.
        StoreError: The store cannot be read, or an impression was damaged.
    """
    table = impression_table(store, **selection)
    try:
        with atomic_file(file) as part:
            pyarrow.parquet.write_table(table, part, compression="zstd")
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file} cannot be written: {error}") from error
    counts = {"impressions": len(table["request_id"].unique()), "items": len(table)}
    return counts | {"taken": pc.sum(table["taken"]).as_py() or 0}


def _with_same_features(found: Sequence[Impression]) -> Iterator[Sequence[Impression]]:
    start = 0
    for end in range(1, len(found) + 1):
        if end == len(found) or found[end].feature_names != found[start].feature_names:
            yield found[start:end]
            start = end


def _labels(
    store: Store, request_ids: Sequence[str], events: Collection[str]
) -> dict[tuple[str, str], _Label]:
    """The label of each taken item of these impressions."""
    query = (
        sa.select(ENTRIES)
        .where(ENTRIES.c.impression_id.in_(request_ids), ENTRIES.c.kind == INTERACTION)
        .order_by(ENTRIES.c.time, ENTRIES.c.sequence)
    )
    labels: dict[tuple[str, str], _Label] = {}
    with store.database.reading() as connection:
        for row in connection.execute(query):
            if events and row.event not in events:
                continue
            key = (row.impression_id, row.item_id)
            first = labels.setdefault(key, _Label(row.time, row.event, row.weight))
            if row.weight is not None and row.weight > (first.weight or 0):
                labels[key] = _Label(first.time, first.event, row.weight)
    return labels


def _part(shown: list[Impression], labels: dict[tuple[str, str], _Label], before: int) -> pa.Table:
    lengths = [len(each) for each in shown]

    def repeated(values: list[Any], kind: pa.DataType) -> pa.Array:
        indices = np.repeat(np.arange(len(shown)), lengths)
        return pa.array(values, kind).take(pa.array(indices))

    keys = [(each.request_id, item_id) for each in shown for item_id in each.item_ids]
    found = [labels.get(key) for key in keys]
    text, number, whole = pa.string(), pa.float32(), pa.int64()
    plain = ("bundle_version", "pipeline", "pipeline_version")
    columns = {
        "request": repeated([before + at for at in range(len(shown))], whole),
        "request_id": repeated([each.request_id for each in shown], text),
        USER: repeated([each.user_id for each in shown], text),
        "time": repeated([each.time for each in shown], whole),
        **{name: repeated([getattr(each, name) for each in shown], text) for name in plain},
        "watermark": repeated([each.watermark for each in shown], whole),
        "request_json": repeated([each.request for each in shown], text),
        "history": repeated([each.history for each in shown], pa.list_(text)),
        "terms": repeated([_terms(each) for each in shown], pa.list_(text)),
        "position": pa.array([at + 1 for length in lengths for at in range(length)], pa.int32()),
        ITEM: pa.array([item_id for _, item_id in keys], text),
        "slot": pa.array([slot for each in shown for slot in each.slots], text),
        "score": pa.array(_joined([each.scores for each in shown]), number),
        "propensity": pa.array(_joined([each.propensities for each in shown]), number),
        "taken": pa.array([each is not None for each in found], pa.bool_()),
        "taken_time": pa.array([each and each.time for each in found], whole),
        "taken_event": pa.array([each and each.event for each in found], text),
        "taken_weight": pa.array([each and each.weight for each in found], pa.float64()),
        WEIGHT: pa.array(np.ones(len(keys), np.float32)),
    }
    names = shown[0].feature_names if shown else ()
    features = _joined([each.features.T for each in shown], axis=1)
    columns |= {FEATURE + name: pa.array(features[at], number) for at, name in enumerate(names)}
    return pa.table(columns)


def _terms(impression: Impression) -> list[str]:
    """The search terms of the request, if there are any."""
    query = json.loads(impression.request or "{}").get("query", {})
    return [query["terms"]] if query.get("terms") else []


def _joined(arrays: list[Any], axis: int = 0) -> Any:
    return np.concatenate(arrays, axis=axis) if arrays else np.empty(0, np.float32)
