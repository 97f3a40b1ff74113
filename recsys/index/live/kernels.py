"""Compiled loops over a delta; they release the GIL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    return cast(Function, njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})(function))


@_compiled
def inner_product(vectors: Any, row: int, query: Any) -> Any:
    total = 0.0
    for each in range(len(query)):
        total += np.float64(vectors[row, each]) * query[each]
    return np.float32(total)


@_compiled
def merge_delta(
    found: Any,
    queries: Any,
    delta: Any,
    version: int,
    grouped: Any,
    leaves: Any,
    tail: Any,
    excluded: Any,
    allowed: Any,
    read: Any,
) -> None:
    """Put the entries of a delta that are among the best k of a query into its hits.

    Args:
        found: Rows and scores ``[b, k]`` of the hits so far, best first, and their number ``[b]``;
            changed in place.
        queries: float64 ``[b, d]``.
        delta: Row, vector and ``died`` of each entry.
        version: Version of the reader.
        grouped: Entries sorted by leaf, int32, and the first position of each leaf and the end;
            without any entries, the positions are entries.
        leaves: Leaves to search per query, int32 ``[b, most]``, and their number ``[b]``; -1 for
            all.
        tail: First entry after the grouped ones, and the end.
        excluded: Rows that must not be hits, and the first position of each query and the end.
        allowed: Rows that may be hits, bool ``[rows]``; empty for all. Grouped entries are not
            tested where they are listed.
        read: Number of entries compared per query, int64 ``[b]``; written.
    """
    entries, starts = grouped
    order, counts = leaves
    plain = entries[:0]
    for query in range(len(queries)):
        vector = queries[query]
        fence = (excluded[0], excluded[1][query], excluded[1][query + 1])
        target = (found[0][query], found[1][query], found[2][query : query + 1])
        total = _merge_range(target, vector, delta, version, tail, fence, allowed, plain)
        if counts[query] < 0:
            part = (starts[0], starts[-1])
            total += _merge_range(target, vector, delta, version, part, fence, allowed, entries)
        for position in range(counts[query]):
            leaf = order[query, position]
            part = (starts[leaf], starts[leaf + 1])
            total += _merge_range(target, vector, delta, version, part, fence, allowed, entries)
        read[query] = total


@_compiled
def _merge_range(
    target: Any,
    vector: Any,
    delta: Any,
    version: int,
    part: Any,
    fence: Any,
    allowed: Any,
    entries: Any,
) -> int:
    best_rows, best, size = target
    rows, vectors, died = delta
    k, count, compared = len(best), size[0], 0
    for position in range(part[0], part[1]):
        entry = entries[position] if len(entries) else position
        if died[entry] <= version:
            continue
        row = rows[entry]
        if len(allowed) and not allowed[row]:
            continue
        compared += 1
        score = inner_product(vectors, entry, vector)
        if count == k and _is_before(best[k - 1], best_rows[k - 1], score, row):
            continue
        if _holds(fence, row):
            continue
        low, high = 0, count
        while low < high:
            middle = (low + high) >> 1
            if _is_before(best[middle], best_rows[middle], score, row):
                low = middle + 1
            else:
                high = middle
        count = min(count + 1, k)
        for rank in range(count - 1, low, -1):
            best[rank], best_rows[rank] = best[rank - 1], best_rows[rank - 1]
        best[low], best_rows[low] = score, row
    size[0] = count
    return compared


@_compiled
def _is_before(score: Any, row: int, other_score: Any, other_row: int) -> bool:
    return bool(score > other_score or (score == other_score and row < other_row))


@_compiled
def _holds(fence: Any, row: int) -> bool:
    rows, low, end = fence
    high = end
    while low < high:
        middle = (low + high) >> 1
        if rows[middle] < row:
            low = middle + 1
        else:
            high = middle
    return bool(low < end and rows[low] == row)


@_compiled
def group(source: Any, length: int, version: int, leaf: Any, starts: Any, target: Any) -> None:
    """Copy the valid entries, sorted by leaf, into a new generation.

    Args:
        source: Row, vector, ``born`` and ``died`` of each entry.
        length: Number of entries.
        version: Version of the writer.
        leaf: Leaf of each entry, int32 ``[length]``.
        starts: First entry of each leaf and the end, int64 ``[leaves + 1]``; written.
        target: Row, vector and ``born`` of each entry, and the newest entry of each row; written.
    """
    rows, vectors, born, died = source
    new_rows, new_vectors, new_born, newest = target
    starts[:] = 0
    for entry in range(length):
        if died[entry] > version:
            starts[leaf[entry] + 1] += 1
    for each in range(1, len(starts)):
        starts[each] += starts[each - 1]
    ends = starts[:-1].copy()
    for entry in range(length):
        if died[entry] > version:
            to = ends[leaf[entry]]
            ends[leaf[entry]] += 1
            new_rows[to] = rows[entry]
            new_vectors[to] = vectors[entry]
            new_born[to] = born[entry]
            newest[rows[entry]] = to
