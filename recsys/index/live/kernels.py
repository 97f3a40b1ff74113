"""Compiled loops over a delta; they release the lock of the interpreter."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import types

from recsys.index.kernels import HITS, MATRIX, exact_score, float_score, is_hidden, worse
from recsys.loops import F4, F8, I4, I8, allocation_free, array, compiled

_ENTRIES = types.Tuple((array(I4), MATRIX, array(I8)))  # row, vector, died
_GROUPS = types.Tuple((MATRIX, array(F4), array(I8), array(I4)))  # centre, spread, starts, entries
_HIDDEN = types.Tuple((array(types.boolean), I8, array(I4), array(I8)))
_WRITTEN_MATRIX = array(F4, 2, written=True)


@allocation_free(
    I8(
        array(I4, written=True),
        array(F4, written=True),
        I8,
        array(F4),
        F8,
        _ENTRIES,
        array(I4),
        I8,
        I8,
        _HIDDEN,
        I8,
        I8,
    )
)
def _merge_range(best, scores, size, query, slack, delta, entries, first, end, hidden, low, high):
    """Put the entries at some positions that are among the best into sorted hits; their number."""
    rows, vectors, died = delta
    mask, version, never, _ = hidden
    for position in range(first, end):
        entry = entries[position] if len(entries) else np.int32(position)
        row = rows[entry]
        if died[entry] <= version or (len(mask) and not mask[row]):
            continue
        full = size == len(scores)
        if full and float_score(vectors, entry, query) + slack < scores[size - 1]:
            continue
        score = exact_score(vectors, entry, query)
        if full and not worse(scores[size - 1], best[size - 1], score, row):
            continue
        if is_hidden(row, died[:0], version, never, low, high):
            continue
        at = size - 1 if full else size
        while at > 0 and worse(scores[at - 1], best[at - 1], score, row):
            scores[at], best[at] = scores[at - 1], best[at - 1]
            at -= 1
        scores[at], best[at] = score, row
        size = min(size + 1, len(scores))
    return size


@compiled(
    types.void(
        HITS,
        MATRIX,
        array(F8),
        _ENTRIES,
        _GROUPS,
        F8,
        I8,
        I8,
        _HIDDEN,
        array(I8, written=True),
    )
)
def merge_delta(hits, queries, slack, delta, groups, reach, tail, end, hidden, read):
    """Put the entries of a delta that are among the best k of each query into sorted hits.

    The tail is compared whole, then groups in the order of their bounds, ``reach`` standard
    deviations above the score of their centres, until the k-th score exceeds them. ``entries`` are
    the eligible ones by group; without any, the positions of a group are entries. ``read`` receives
    the number of entries per query.
    """
    out_rows, out_scores, valid = hits
    centres, spread, starts, entries = groups
    bounds, chosen = np.empty(len(spread), np.float32), np.empty(len(spread), np.int32)
    for i in range(len(queries)):
        query, best, scores = queries[i], out_rows[i], out_scores[i]
        low, high, size = hidden[3][i], hidden[3][i + 1], 0
        while size < len(scores) and valid[i, size]:
            size += 1
        size = _merge_range(
            best,
            scores,
            size,
            query,
            slack[i],
            delta,
            entries[:0],
            tail,
            end,
            hidden,
            low,
            high,
        )
        norm = np.float32(0)
        for j in range(len(query)):
            norm += query[j] * query[j]
        norm, count, total = np.sqrt(norm), 0, end - tail
        for group in range(len(spread)):
            bound = np.float32(np.inf)
            if reach < np.inf:
                bound = (
                    float_score(centres, group, query) + np.float32(reach) * norm * spread[group]
                )
            if size < len(scores) or bound + slack[i] >= scores[size - 1]:
                bounds[count], chosen[count] = -bound, group
                count += 1
        for at in np.argsort(bounds[:count]):
            if size == len(scores) and slack[i] - bounds[at] < scores[size - 1]:
                break
            first, last = starts[chosen[at]], starts[chosen[at] + 1]
            size = _merge_range(
                best, scores, size, query, slack[i], delta, entries, first, last, hidden, low, high
            )
            total += last - first
        valid[i, :size] = True
        read[i] = total


@allocation_free(I8(MATRIX, I8, _WRITTEN_MATRIX, array(F4, written=True), I8), fastmath={"reassoc"})
def _nearest(vectors, entry, centres, half, parts):
    best, nearest = np.float32(-np.inf), 0
    for part in range(parts):
        score = -half[part]
        for j in range(vectors.shape[1]):
            score += vectors[entry, j] * centres[part, j]
        if score > best:
            best, nearest = score, part
    return nearest


@compiled(types.void(MATRIX, array(I8), array(I8), array(I8), array(I4, written=True)))
def split_leaves(vectors, order, starts, firsts, groups):
    """Split each leaf into groups of near entries, by three rounds of k-means.

    ``order`` holds the entries, leaf after leaf, from ``starts``; ``firsts`` is the first group of
    each leaf, and the end. ``groups`` receives the group of each entry.
    """
    dimension = vectors.shape[1]
    most = np.max(firsts[1:] - firsts[:-1])
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
                for j in range(dimension):
                    totals[best, j] += vectors[entry, j]
            for part in range(parts):
                if counts[part]:
                    for j in range(dimension):
                        centres[part, j] = totals[part, j] / counts[part]


@compiled(types.void(_WRITTEN_MATRIX, I8, I8, _WRITTEN_MATRIX, array(F4, written=True), I8))
def _describe(vectors, first, end, centres, spread, group):
    """Mean and spread of some entries."""
    dimension, variance = vectors.shape[1], 0.0
    for j in range(dimension):
        total = 0.0
        for entry in range(first, end):
            total += vectors[entry, j]
        mean, squares = total / max(end - first, 1), 0.0
        for entry in range(first, end):
            squares += (vectors[entry, j] - mean) ** 2
        centres[group, j] = mean
        variance += squares / max(end - first, 1)
    spread[group] = np.sqrt(variance / dimension)


@compiled(
    types.void(
        types.Tuple((array(I4), MATRIX, array(I8), array(I8))),
        I8,
        array(I4),
        types.Tuple((_WRITTEN_MATRIX, array(F4, written=True), array(I8, written=True))),
        types.Tuple(
            (
                array(I4, written=True),
                _WRITTEN_MATRIX,
                array(I8, written=True),
                array(I4, written=True),
            )
        ),
    )
)
def group_entries(source, version, group_of, groups, target):
    """Copy the valid entries, sorted by group, into a new generation.

    ``source`` is the row, vector, ``born`` and ``died`` of each entry, ``target`` the same without
    ``died``, and the newest entry of each row. ``groups`` receives means, spreads and starts.
    """
    rows, vectors, born, died = source
    centres, spread, starts = groups
    new_rows, new_vectors, new_born, newest = target
    starts[:] = 0
    for entry in range(len(group_of)):
        if died[entry] > version:
            starts[group_of[entry] + 1] += 1
    for group in range(1, len(starts)):
        starts[group] += starts[group - 1]
    ends = starts[:-1].copy()
    for entry in range(len(group_of)):
        if died[entry] > version:
            to = ends[group_of[entry]]
            ends[group_of[entry]] += 1
            new_rows[to], new_born[to] = rows[entry], born[entry]
            new_vectors[to] = vectors[entry]
            newest[rows[entry]] = to
    for group in range(len(spread)):
        _describe(new_vectors, starts[group], starts[group + 1], centres, spread, group)
