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
    """Inner product of a row with a query, summed in float64, as float32."""
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
    groups: Any,
    reach: float,
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
        groups: Centre, spread and first position of each group, and the eligible entries by group;
            without any entries, the positions are entries.
        reach: Number of standard deviations above its centre that the best score in a group is
            assumed to be; infinite to read every group.
        tail: First entry after the grouped ones, and the end.
        excluded: Rows that must not be hits, and the first position of each query and the end.
        allowed: Rows that may be hits, bool ``[rows]``; empty for all.
        read: Number of entries compared per query, int64 ``[b]``; written.
    """
    centres, spread, starts, entries = groups
    bounds, chosen = np.empty(len(spread)), np.empty(len(spread), np.int64)
    for query in range(len(queries)):
        vector = queries[query]
        fence = (excluded[0], excluded[1][query], excluded[1][query + 1])
        target = (found[0][query], found[1][query], found[2][query : query + 1])
        total = _merge_range(target, vector, delta, version, tail, fence, allowed, entries[:0])
        norm, count = np.sqrt((vector * vector).sum()), 0
        for group in range(len(spread)):
            if starts[group] == starts[group + 1]:
                continue
            bound = np.inf
            if reach < np.inf:
                bound = inner_product(centres, group, vector) + reach * norm * spread[group]
            if _may_hold(target, bound):
                bounds[count], chosen[count] = -bound, group
                count += 1
        for position in np.argsort(bounds[:count]):
            if not _may_hold(target, -bounds[position]):
                break
            group = chosen[position]
            part = (starts[group], starts[group + 1])
            total += _merge_range(target, vector, delta, version, part, fence, allowed, entries)
        read[query] = total


@_compiled
def _may_hold(target: Any, bound: float) -> bool:
    return bool(target[2][0] < len(target[1]) or bound >= target[1][-1])


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
def split_leaves(vectors: Any, order: Any, starts: Any, firsts: Any, groups: Any) -> None:
    """Split each leaf into groups of near entries by k-means.

    Args:
        vectors: Vector of each entry.
        order: Entries, leaf after leaf.
        starts: First position of each leaf in ``order`` and the end.
        firsts: First group of each leaf and the end.
        groups: Group of each entry, int32; written.
    """
    dimension = vectors.shape[1]
    most = (firsts[1:] - firsts[:-1]).max()
    centres, half = np.empty((most, dimension), np.float32), np.empty(most, np.float32)
    totals, counts = np.empty((most, dimension)), np.empty(most, np.int64)
    for leaf in range(len(starts) - 1):
        begin, parts = starts[leaf], firsts[leaf + 1] - firsts[leaf]
        size = starts[leaf + 1] - begin
        if size == 0:
            continue
        for part in range(parts):
            centres[part] = vectors[order[begin + part * size // parts]]
        for _ in range(3 if parts > 1 else 1):
            totals[:parts], counts[:parts] = 0, 0
            for part in range(parts):
                half[part] = (centres[part] * centres[part]).sum() / 2
            for position in range(begin, begin + size):
                entry = order[position]
                best = _nearest(vectors, entry, centres, half, parts)
                groups[entry] = firsts[leaf] + best
                counts[best] += 1
                for each in range(dimension):
                    totals[best, each] += vectors[entry, each]
            for part in range(parts):
                if counts[part]:
                    centres[part] = (totals[part] / counts[part]).astype(np.float32)


@_compiled
def _nearest(vectors: Any, entry: int, centres: Any, half: Any, parts: int) -> int:
    best, nearest = np.float32(-np.inf), 0
    for part in range(parts):
        score = -half[part]
        for each in range(vectors.shape[1]):
            score += vectors[entry, each] * centres[part, each]
        if score > best:
            best, nearest = score, part
    return nearest


@_compiled
def group_entries(
    source: Any, length: int, version: int, group_of: Any, groups: Any, target: Any
) -> None:
    """Copy the valid entries, sorted by group, into a new generation.

    Args:
        source: Row, vector, ``born`` and ``died`` of each entry.
        length: Number of entries.
        version: Version of the writer.
        group_of: Group of each entry, int32 ``[length]``.
        groups: Mean, root mean square of the standard deviations over the directions, and first
            entry of each group; written.
        target: Row, vector and ``born`` of each entry, and the newest entry of each row; written.
    """
    rows, vectors, born, died = source
    centres, spread, starts = groups
    new_rows, new_vectors, new_born, newest = target
    starts[:] = 0
    for entry in range(length):
        if died[entry] > version:
            starts[group_of[entry] + 1] += 1
    for each in range(1, len(starts)):
        starts[each] += starts[each - 1]
    ends = starts[:-1].copy()
    for entry in range(length):
        if died[entry] > version:
            to = ends[group_of[entry]]
            ends[group_of[entry]] += 1
            new_rows[to] = rows[entry]
            new_vectors[to] = vectors[entry]
            new_born[to] = born[entry]
            newest[rows[entry]] = to
    dimension = vectors.shape[1]
    total, squares = np.empty(dimension), np.empty(dimension)
    for each in range(len(spread)):
        count = starts[each + 1] - starts[each]
        total[:], squares[:] = 0, 0
        for entry in range(starts[each], starts[each + 1]):
            for part in range(dimension):
                value = np.float64(new_vectors[entry, part])
                total[part] += value
                squares[part] += value * value
        for part in range(dimension):
            mean = total[part] / max(count, 1)
            centres[each, part] = mean
            squares[part] = max(squares[part] / max(count, 1) - mean * mean, 0)
        spread[each] = np.sqrt(squares.sum() / dimension)
