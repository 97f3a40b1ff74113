"""Two bits per dimension of each row, compared with a query by counting bits.

A sketch approximates the difference of a row from the centroid of its leaf. It has an eighth of the
size of the codes of ``Partition`` with one byte per dimension, and several are compared at once.
Dimensions are mixed first (random signs, then Hadamard matrices of 64 dimensions), so that every
number of a sketch matters about as much, whichever dimensions a row differs in.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from recsys.ids import Vectors
from recsys.index.kernels import exact_score, touch
from recsys.loops import F4, F8, I1, I4, I8, allocation_free, array, compiled

WORD = 64
"""Number of dimensions in each word of bits."""
AT_ONCE = 1024
"""Largest number of sketches that are compared at once."""
_U1, _U8 = types.uint8, types.uint64
_LEVEL = 0.996
"""Step of the four levels for numbers of a normal distribution with a deviation of 1."""
_LOST = 0.001
"""Share of rows whose score may exceed its estimate by more than is allowed for."""
_SAMPLE, _DIRECTIONS = 4_096, 64
"""Number of rows, and of queries, on which errors are measured."""
_AHEAD, _LINE = 256, 64
"""Largest number of sketches that are loaded ahead, and bytes of a cache line."""
_UNROLLED = 32
"""Number of rows that compiled code compares at once; a rest would be compared one by one."""
_MOST = 7
"""Largest number in a query, of four bits with a sign."""
SCRATCH = types.Tuple(
    (
        array(_U8, written=True),  # totals [AT_ONCE]
        array(_U8, written=True),  # eight flags per word
        array(_U1, written=True),  # the same flags
    )
)
SKETCHES = (array(_U8, 2), array(F4))
_CODES = (array(I1, 2), array(F4, 2))
_KEPT = (array(I4, written=True), array(F4, written=True))
PLANES = array(_U8, 2, written=True)


def words(dimension: int) -> int:
    """Number of words for each of the two bits of a sketch."""
    return -(-dimension // WORD)


@intrinsic
def _ones(_, bits):
    """Number of bits that are set."""

    def generate(_, builder, __, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@allocation_free(F8(I8))
def _sign(dimension):
    """A random sign per dimension."""
    bits = np.uint64(dimension + 1) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return 1.0 if bits >> np.uint64(63) else -1.0


@compiled(types.void(array(F4), array(F8, written=True)))
def _mix(vector, mixed):
    """Rotate a vector, padded with zeros to whole words."""
    count = len(mixed) // WORD
    mixed[:] = 0.0
    for i in range(len(vector)):
        mixed[i % count * WORD + i // count] = _sign(i) * vector[i] / np.sqrt(WORD)
    for start in range(0, len(mixed), WORD):
        half = 1
        while half < WORD:
            for low in range(start, start + WORD, 2 * half):
                for i in range(low, low + half):
                    one, other = mixed[i], mixed[i + half]
                    mixed[i], mixed[i + half] = one + other, one - other
            half *= 2


@compiled(types.void(array(F4, 2), I8, array(_U8, 2, written=True), array(F4, written=True)))
def encode(differences, begin, bits, steps):
    """Write the sketches of rows from the position ``begin``.

    Args:
        differences: Rows minus the centroid of their leaf, float32 ``[m, d]``.
        begin: Position of the first one.
        bits: Words of the lower and the upper bits in turn, uint64 ``[2 * words, n]``.
        steps: Distance of the levels of each row, float32 ``[n]``.
    """
    mixed = np.empty(len(bits) // 2 * WORD, np.float64)
    for j in range(len(differences)):
        _mix(differences[j], mixed)
        squares, along = 0.0, 0.0
        for i in range(len(mixed)):
            squares += mixed[i] * mixed[i]
        step = max(_LEVEL * np.sqrt(squares / len(mixed)), 1e-30)
        for word in range(len(bits)):
            bits[word, begin + j] = 0
        for i in range(len(mixed)):
            level = int(min(max(np.floor(mixed[i] / step), -2.0), 1.0)) + 2
            along += mixed[i] * (level - 1.5)
            word, bit = i // WORD * 2, np.uint64(i % WORD)
            bits[word, begin + j] |= np.uint64(level & 1) << bit
            bits[word + 1, begin + j] |= np.uint64(level >> 1) << bit
        # The product with the row itself is exact.
        steps[begin + j] = squares / along if along > 0 else 0.0


@compiled(types.void(array(F4), array(F4), PLANES, array(F4, written=True)))
def prepare(query, doubt, planes, line):
    """Write the bits of a query, uint64 ``[words, 4]``, and the ``line`` of ``sift``.

    ``doubt`` is that of ``measured_doubt``.
    """
    mixed = np.empty(len(planes) * WORD, np.float64)
    _mix(query, mixed)
    largest, squares, total = 0.0, 0.0, 0
    for i in range(len(mixed)):
        largest = max(largest, abs(mixed[i]))
        squares += mixed[i] * mixed[i]
    step = largest / _MOST if largest > 0 else 1.0
    planes[:] = 0
    for i in range(len(mixed)):
        number = int(np.rint(mixed[i] / step))
        total += number
        for bit in range(4):
            set_ = np.uint64((number >> bit) & 1)
            planes[i // WORD, bit] |= set_ << np.uint64(i % WORD)
    line[0] = step
    line[1] = doubt[0] * np.sqrt(squares) - 1.5 * total * step


@allocation_free(_U8(_U8, _U8, _U8, _U8, _U8, _U8))
def _product(a, b, one, two, four, minus):
    """Product of the numbers of two and of four bits in a word, modulo 2**64."""
    total = _ones(a & one) + ((_ones(a & two) + _ones(b & one)) << np.uint64(1))
    total += (_ones(a & four) + _ones(b & two)) << np.uint64(2)
    total += (_ones(b & four) - _ones(a & minus)) << np.uint64(3)
    return total - (_ones(b & minus) << np.uint64(4))


@allocation_free(
    types.void(array(_U8, 2), _U8, _U8, I8, array(_U8, 2), _U8, array(_U8, written=True)),
)
def _multiply(bits, row, first, count, planes, word, totals):
    """Add the products of the numbers in one word with those of a query."""
    one, two = planes[word, np.uint64(0)], planes[word, np.uint64(1)]
    four, minus = planes[word, np.uint64(2)], planes[word, np.uint64(3)]
    upper = row + np.uint64(1)
    for j in range(count):
        at = first + np.uint64(j)
        totals[j] += _product(bits[row, at], bits[upper, at], one, two, four, minus)


@compiled(types.void(array(F4, 2), array(_U8, 2), array(F4, 2), array(F4, 2, written=True)))
def _errors(differences, bits, queries, errors):
    """Write what estimates lose, relative to the step of a row and the length of a query."""
    steps, own = np.empty(len(differences), np.float32), np.copy(bits)
    planes, line = np.empty((len(bits) // 2, 4), np.uint64), np.empty(2, np.float32)
    totals, none = np.empty(len(differences), np.uint64), np.zeros(1, np.float32)
    encode(differences, 0, own, steps)
    for i in range(len(queries)):
        prepare(queries[i], none, planes, line)
        totals[:] = 0
        for word in range(len(planes)):
            row = np.uint64(2 * word)
            _multiply(own, row, np.uint64(0), len(totals), planes, np.uint64(word), totals)
        length = np.sqrt(exact_score(queries, i, queries[i]))
        for j in range(len(totals)):
            estimate = steps[j] * (line[0] * np.float32(np.int64(totals[j])) + line[1])
            unit = steps[j] * length
            lost = exact_score(differences, j, queries[i]) - estimate
            errors[i, j] = lost / unit if unit > 0 else np.float32(0)


@allocation_free(
    types.void(*SKETCHES, _U8, I8, PLANES, array(F4), F4, *SCRATCH), fastmath={"contract"}
)
def _flag(bits, steps, first, count, planes, line, least, totals, _, flags):
    """Flag rows whose estimate, above the score of their centroid, may be ``least``.

    ``totals`` holds zeros before and after.
    """
    wanted = count
    count = min((count + _UNROLLED - 1) // _UNROLLED * _UNROLLED, len(steps) - np.int64(first))
    last = np.uint64(len(planes) - 1)
    for word in range(len(planes) - 1):
        _multiply(bits, np.uint64(2 * word), first, count, planes, np.uint64(word), totals)
    one, two = planes[last, np.uint64(0)], planes[last, np.uint64(1)]
    four, minus = planes[last, np.uint64(2)], planes[last, np.uint64(3)]
    lower, upper = np.uint64(2) * last, np.uint64(2) * last + np.uint64(1)
    step, shift = line[0], line[1]
    for j in range(count):
        at = first + np.uint64(j)
        a, b = bits[lower, at], bits[upper, at]
        total = _product(a, b, one, two, four, minus) + totals[j]
        product = step * np.float32(np.int64(total)) + shift
        flags[j] = steps[at] * product >= least
    for j in range(wanted, wanted + 8):
        flags[j] = 0
    if last:
        for j in range(count):
            totals[j] = 0


@allocation_free(types.void(*SKETCHES, I8, I8))
def load(bits, steps, begin, end):
    """Begin to load the sketches from ``begin`` to ``end``, which need not be used."""
    size, end = np.uint64(bits.itemsize), min(end, begin + _AHEAD)
    for row in range(len(bits)):
        start = np.uint64(bits.ctypes.data) + np.uint64(row * bits.shape[1] + begin) * size
        for offset in range(0, (end - begin) * bits.itemsize, _LINE):
            touch(start + np.uint64(offset))
    start = np.uint64(steps.ctypes.data) + np.uint64(begin * steps.itemsize)
    for offset in range(0, (end - begin) * steps.itemsize, _LINE):
        touch(start + np.uint64(offset))


@allocation_free(
    I8(
        *SKETCHES, array(I4), I8, I8, PLANES, array(F4), F4, F4, *_CODES, *SCRATCH, *_KEPT, I8
    )
)  # fmt: skip
def sift(
    bits, steps, positions, begin, end, planes, line, base, least, codes, factors,
    totals, eight, flags, near, bases, at,
):  # fmt: skip
    """Append positions of rows that may have the score ``least`` to ``near``.

    The rows in question have the sketches from ``begin`` to ``end``, at most ``AT_ONCE``.
    ``positions`` holds where their codes are; it is empty where that is the same number. ``planes``
    and ``line`` are those of the query, and ``base`` is the score of the centroid. The codes and
    factors of the rows found are loaded ahead. The arrays from ``totals`` to ``flags`` are the
    memory of ``scratch``.

    Returns:
        The number of positions in ``near``, before which it was ``at``.
    """
    first, count = np.uint64(begin), end - begin
    _flag(bits, steps, first, count, planes, line, least - base, totals, eight, flags)
    code, size = np.uint64(codes.ctypes.data), np.uint64(codes.shape[1])
    factor, pair = np.uint64(factors.ctypes.data), np.uint64(2 * factors.itemsize)
    for word in range((count + 7) // 8):
        if eight[word] == 0:
            continue
        for j in range(8 * word, 8 * word + 8):
            if flags[j] == 0:
                continue
            position = first + np.uint64(j)
            if len(positions):
                position = np.uint64(positions[position])
            near[at], bases[at] = position, base
            touch(code + position * size)
            touch(factor + position * pair)
            at += 1
    return at


@compiled(SCRATCH())
def scratch():
    """Memory for ``sift``."""
    eight = np.zeros((AT_ONCE + _UNROLLED) // 8, np.uint64)
    return (
        np.zeros(AT_ONCE, np.uint64),
        eight,
        eight.view(np.uint8),
    )


def sketch(dimension: int, items: int) -> tuple[Any, Any]:
    """Bits and steps of a number of rows, to be written by ``encode``."""
    return np.empty((2 * words(dimension), items), np.uint64), np.empty(items, np.float32)


def measured_doubt(differences: Vectors, queries: Vectors) -> Vectors:
    """Error of estimates that is allowed for, in steps of a row times the length of a query.

    For vectors of 64 dimensions and more it is about 1.

    Args:
        differences: Rows minus the centroid of their leaf, float32 ``[m, d]``.
        queries: Vectors like those that are searched, float32 ``[b, d]``.

    Returns:
        float32 ``[1]``.
    """
    some, few = _spread(differences, _SAMPLE), _spread(queries, _DIRECTIONS)
    bits, _ = sketch(some.shape[1], len(some))
    errors = np.empty((len(few), len(some)), np.float32)
    _errors(some, bits, few, errors)
    return np.array([max(np.quantile(errors, 1 - _LOST), 0.0)], np.float32)


def _spread(rows: Vectors, count: int) -> Vectors:
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)]
