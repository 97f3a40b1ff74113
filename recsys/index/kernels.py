"""Compiled loops: exact scores, the best k of given rows, and scans of rows and leaves.

Each loop handles the queries of a batch one after another, so that an answer does not depend on the
others, and releases the lock of the interpreter. Scores are summed in float64, in which a product
of two float32 is exact, in an order that depends on the dimension only.

Rows that must not be hits are given to each loop in the same way: ``mask`` (bool ``[n]``, or empty
for all rows), ``died`` and ``version`` (``Liveness``; ``died`` is empty where no row is deleted),
and ``never`` with ``starts`` (``Exclusions``). ``chosen`` holds the positions of the queries that a
call answers; their rows, scores and whether these are valid are written at the same positions.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from recsys.index.storage.elements import add_loop, element, row_bytes, row_count
from recsys.loops import F4, F8, I4, I8, allocation_free, array, compiled

_LINE, _PREFETCHED = 64, 1024
"""Bytes of a cache line, and of a vector that are loaded ahead; the processor continues."""
AHEAD = 8
"""Number of rows that are loaded ahead."""


Compile = Callable[..., Callable[[Any], Any]]
MATRIX = array(F4, 2)
HIDDEN = types.Tuple((array(types.boolean), array(I8), I8, array(I4), array(I8)))
HITS = types.Tuple(
    (array(I4, 2, written=True), array(F4, 2, written=True), array(types.boolean, 2, written=True))
)


def over_vectors(
    signature: Any, compiled: Compile = allocation_free, **options: Any
) -> Callable[[Any], Any]:
    """Compile a loop whose first argument is vectors, in any storage, as ``compiled`` does."""

    def compile_function(function: Any) -> Any:
        dispatcher = compiled(signature, **options)(function)
        add_loop(dispatcher, signature)
        return dispatcher

    return compile_function


@intrinsic
def touch(_, address):
    """Ask the processor to load the cache line at an address."""

    def generate(context, builder, _, arguments):
        number = ir.IntType(32)
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        # Read, keep in every cache, data.
        builder.call(function, [pointer, *(ir.Constant(number, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(types.uintp), generate


@over_vectors(types.void(MATRIX, I8))
def prefetch(vectors, row):
    """Begin to load a vector, which need not be used."""
    start, size = row_bytes(vectors, row)
    for offset in range(0, min(size, _PREFETCHED), _LINE):
        touch(start + np.uint64(offset))


@over_vectors(F4(MATRIX, I8, array(F4)), fastmath={"reassoc"})
def exact_score(vectors, row, query):
    """Inner product, summed in float64."""
    total = 0.0
    for i in range(query.shape[0]):
        total += np.float64(element(vectors, row, i)) * np.float64(query[i])
    return np.float32(total)


@over_vectors(F4(MATRIX, I8, array(F4)), fastmath={"reassoc", "contract"})
def float_score(vectors, row, query):
    """Inner product, summed in float32; proposes rows only."""
    total = np.float32(0.0)
    for i in range(query.shape[0]):
        total += element(vectors, row, i) * query[i]
    return total


@allocation_free(types.boolean(F4, I4, F4, I4))
def worse(score, row, other_score, other_row):
    return score < other_score or (score == other_score and row > other_row)


@allocation_free(types.void(array(F4, written=True), array(I4, written=True), I8, F4, I4))
def _sift_down(scores, rows, size, score, row):
    """Put a pair at the root of a heap whose root is its worst pair."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and worse(
            scores[child + 1], rows[child + 1], scores[child], rows[child]
        ):
            child += 1
        if not worse(scores[child], rows[child], score, row):
            break
        scores[at], rows[at] = scores[child], rows[child]
        at = child
    scores[at], rows[at] = score, row


@allocation_free(I8(array(F4, written=True), array(I4, written=True), I8, F4, I4))
def offer(scores, rows, size, score, row):
    """Keep a pair if it is among the best that fit into the arrays; return their number."""
    if size == len(scores):
        if worse(scores[0], rows[0], score, row):
            _sift_down(scores, rows, size, score, row)
        return size
    at = size
    while at > 0:
        parent = (at - 1) // 2
        if not worse(score, row, scores[parent], rows[parent]):
            break
        scores[at], rows[at] = scores[parent], rows[parent]
        at = parent
    scores[at], rows[at] = score, row
    return size + 1


@allocation_free(types.void(array(F4, written=True), array(I4, written=True), I8))
def sort(scores, rows, size):
    """Order a heap: best first."""
    for last in range(size - 1, 0, -1):
        score, row = scores[last], rows[last]
        scores[last], rows[last] = scores[0], rows[0]
        _sift_down(scores, rows, last, score, row)


@allocation_free(types.boolean(I4, array(I8), I8, array(I4), I8, I8))
def is_hidden(row, died, version, never, low, high):
    """Whether a row is deleted, or in the ascending ``never[low:high]``."""
    if len(died) and died[row] <= version:
        return True
    end = high
    while low < high:
        middle = (low + high) // 2
        if never[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low < end and never[low] == row


@over_vectors(types.void(MATRIX, array(I4), array(F4), array(F4, written=True)))
def score_rows(vectors, rows, query, scores):
    """The exact score of each of ``rows``."""
    for j in range(len(rows)):
        if j + AHEAD < len(rows):
            prefetch(vectors, rows[j + AHEAD])
        scores[j] = exact_score(vectors, rows[j], query)


@allocation_free(types.void(HITS, I8, I8))
def settle(hits, at, size):
    """Order the rows found for a query, and mark them as valid."""
    rows, scores, valid = hits
    sort(scores[at], rows[at], size)
    for j in range(valid.shape[1]):
        valid[at, j] = j < size


@allocation_free(I8(array(I4, written=True), I8, I8, HIDDEN, I8))
def _keep_visible(rows, begin, end, hidden, at):
    """Move the rows that may be hits to the front of ``rows[begin:end]``; return their end."""
    mask, died, version, never, starts = hidden
    low, high, kept = starts[at], starts[at + 1], begin
    if not len(mask) and not len(died) and low == high:
        return end
    for j in range(begin, end):
        row = rows[j]
        if len(mask) and not mask[row]:
            continue
        rows[kept] = row
        kept += not is_hidden(row, died, version, never, low, high)
    return kept


@over_vectors(I8(MATRIX, MATRIX, I8, array(I4, written=True), I8, I8, HIDDEN, HITS))
def _rank(vectors, queries, at, rows, begin, end, hidden, hits):
    """The best of ``rows[begin:end]`` for the query at one position.

    Hidden rows are dropped first, since the read of a vector takes longer.
    """
    query, best, scores, size = queries[at], hits[0][at], hits[1][at], 0
    end = _keep_visible(rows, begin, end, hidden, at)
    for j in range(begin, min(begin + AHEAD, end)):
        prefetch(vectors, rows[j])
    for j in range(begin, end):
        if j + AHEAD < end:
            prefetch(vectors, rows[j + AHEAD])
        row = rows[j]
        size = offer(scores, best, size, exact_score(vectors, row, query), row)
    settle(hits, at, size)
    return size


@over_vectors(
    types.void(MATRIX, MATRIX, array(I8), array(I4, written=True), array(I8), HIDDEN, HITS)
)
def rank_rows(vectors, queries, chosen, rows, ends, hidden, hits):
    """The best of ``rows``, of which those before ``ends[i]`` belong to ``chosen[i]``.

    The order of ``rows`` changes.
    """
    begin = 0
    for i in range(len(chosen)):
        _rank(vectors, queries, chosen[i], rows, begin, ends[i], hidden, hits)
        begin = ends[i]


_CANDIDATES = (MATRIX, MATRIX, array(I8), array(I4, 2, written=True), array(F4, 2), HIDDEN, HITS)


@over_vectors(I8(*_CANDIDATES, array(I8, written=True)))
def rank_candidates(vectors, queries, chosen, rows, scores, hidden, hits, depth):
    """The best of ``rows[i]``, in the order of their quantised ``scores[i]``, for ``chosen[i]``.

    A line may end with NaN. A full line is cut before the rows with its lowest score: an equal
    vector may be outside, and so all copies of a vector are candidates, or none is.
    ``depth[chosen[i]]`` receives the number of candidates; the result is the number of queries
    that have fewer hits than k. The order of ``rows`` changes.
    """
    width, short = rows.shape[1], 0
    for i in range(len(chosen)):
        end = width
        while end > 0 and np.isnan(scores[i, end - 1]):
            end -= 1
        if end == width and width < row_count(vectors):
            lowest = scores[i, width - 1]
            while end > 0 and scores[i, end - 1] == lowest:
                end -= 1
        depth[chosen[i]] = end
        size = _rank(vectors, queries, chosen[i], rows[i], 0, end, hidden, hits)
        short += size < hits[0].shape[1]
    return short


@allocation_free(F8(array(F4), F8))
def rounding_slack(query, longest):
    """Largest error of a float32 product; see ``recsys.index.scoring``."""
    square = 0.0
    for i in range(len(query)):
        square += np.float64(query[i]) ** 2
    return 2 * (len(query) + 2) * 2.0**-24 * np.sqrt(square) * longest + 1e-37


@over_vectors(types.void(MATRIX, MATRIX, array(I4), F8, HIDDEN, HITS))
def scan_rows(vectors, queries, rows, longest, hidden, hits):
    """The best of ``rows``, or of all where it is empty, by a product that proposes.

    ``longest`` is the largest norm of a vector. As many vectors as ``rows`` are those of the rows.
    """
    mask, died, version, never, starts = hidden
    items = row_count(vectors)
    count = len(rows) if len(rows) else items
    for at in range(len(queries)):
        query, best, scores, size = queries[at], hits[0][at], hits[1][at], 0
        slack = rounding_slack(query, longest)
        for j in range(count):
            row = rows[j] if len(rows) else np.int32(j)
            position = np.int64(j) if count == items else np.int64(row)
            if count < items and j + AHEAD < count:
                prefetch(vectors, rows[j + AHEAD])
            if len(mask) and not mask[row]:
                continue
            if size == len(scores) and float_score(vectors, position, query) + slack < scores[0]:
                continue
            score = exact_score(vectors, position, query)
            if size == len(scores) and not worse(scores[0], best[0], score, row):
                continue
            if not is_hidden(row, died, version, never, starts[at], starts[at + 1]):
                size = offer(scores, best, size, score, row)
        settle(hits, at, size)


@compiled(I8(array(I8, written=True), array(I8, written=True), I8, array(I4, written=True)))
def order_excluded(rows, starts, items, ordered):
    """Write the rows of each query ascending and once, and set ``starts`` to where they begin.

    Returns the position of a row that is not from 0 to ``items`` - 1, or -1.
    """
    begin, size = starts[0], 0
    for query in range(len(starts) - 1):
        end = starts[query + 1]
        own = rows[begin:end]
        for j in range(len(own)):
            if own[j] < 0 or own[j] >= items:
                return begin + j
        own.sort()
        for j in range(len(own)):
            if j == 0 or own[j] != own[j - 1]:
                ordered[size] = own[j]
                size += 1
        starts[query + 1] = size
        begin = end
    return -1
