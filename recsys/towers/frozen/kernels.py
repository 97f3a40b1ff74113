"""Compiled parts of the frozen query tower: products, norms and activations of rows.

Every loop handles one query, and the rows of a product do not depend on one another, so that a
query has the same bits alone as in any batch. Sums are in float32, in an order that depends on the
shapes of one query only.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import math

import numba
import numpy as np
from numba import types

from recsys.loops import F4, I8, array, compiled

MATRIX, VECTOR = array(F4, 2), array(F4)
STACK, STACKS = array(F4, 3), array(F4, 4)
"""Matrices, and pairs of vectors, of all blocks."""
WRITTEN = array(F4, 2, written=True)
STARTS = array(I8)
LANES = 16
"""Numbers in the widest vector register; rows that a product writes are padded to it."""
_FAST = {"contract", "nsz", "reassoc"}
_EPSILON = np.float32(1e-6)
"""As in ``recsys.towers.histories.norm``."""
_SHORTEST = np.float32(1e-12)
"""As in ``tf.math.l2_normalize``."""


@numba.njit(fastmath={"contract", "nsz"}, inline="always", error_model="numpy")
def _exp(x):
    """Exponential with a relative error of 1e-7, in steps that fit vector registers (Cephes)."""
    x = min(max(x, np.float32(-87.0)), np.float32(88.0))
    n = math.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - n * np.float32(0.693359375) + n * np.float32(2.12194440e-4)
    y = np.float32(1.9875691500e-4)
    y = y * r + np.float32(1.3981999507e-3)
    y = y * r + np.float32(8.3334519073e-3)
    y = y * r + np.float32(4.1665795894e-2)
    y = y * r + np.float32(1.6666665459e-1)
    y = y * r + np.float32(5.0000001201e-1)
    y = y * r * r + r + np.float32(1)
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23))
    return y * power.view(np.float32)


@numba.njit(fastmath={"contract", "nsz"}, inline="always", error_model="numpy")
def _erf(x):
    """Error function with an error of 1e-6: the quotient of polynomials of TensorFlow and Eigen."""
    x = min(max(x, np.float32(-4)), np.float32(4))
    z = x * x
    p = np.float32(-2.72614225801306e-10)
    p = p * z + np.float32(2.77068142495902e-08)
    p = p * z + np.float32(-2.10102402082508e-06)
    p = p * z + np.float32(-5.69250639462346e-05)
    p = p * z + np.float32(-7.34990630326855e-04)
    p = p * z + np.float32(-2.95459980854025e-03)
    p = p * z + np.float32(-1.60960333262415e-02)
    q = np.float32(-1.45660718464996e-05)
    q = q * z + np.float32(-2.13374055278905e-04)
    q = q * z + np.float32(-1.68282697438203e-03)
    q = q * z + np.float32(-7.37332916720468e-03)
    q = q * z + np.float32(-1.42647390514189e-02)
    return x * p / q


@compiled(types.void(WRITTEN), fastmath=_FAST, error_model="numpy")
def gelu(x):
    """Replace x by x * Phi(x)."""
    for i in range(x.shape[0]):
        row = x[i]
        for j in range(row.shape[0]):
            half = np.float32(0.5) * row[j]
            row[j] = half + half * _erf(row[j] * np.float32(0.70710678))


@compiled(types.void(WRITTEN), fastmath=_FAST, error_model="numpy")
def silu(x):
    """Replace x by x / (1 + exp(-x))."""
    for i in range(x.shape[0]):
        row = x[i]
        for j in range(row.shape[0]):
            row[j] = row[j] / (np.float32(1) + _exp(-row[j]))


@compiled(types.void(WRITTEN, I8), fastmath=_FAST, error_model="numpy")
def causal_softmax(x, first):
    """Softmax of each row i over its numbers up to position ``first`` + i; 0 after it."""
    for i in range(x.shape[0]):
        row, visible = x[i], first + i + 1
        highest = row[0]
        for j in range(visible):
            highest = max(highest, row[j])
        total = np.float32(0)
        for j in range(visible):
            row[j] = _exp(row[j] - highest)
            total += row[j]
        for j in range(visible):
            row[j] /= total
        row[visible:] = np.float32(0)


@compiled(types.void(MATRIX, MATRIX, VECTOR, WRITTEN), fastmath={"contract"}, error_model="numpy")
def product(a, b, bias, c):
    """c = a b + bias, in strips of four rows and four columns of ``a``."""
    inner, whole = b.shape[0], b.shape[0] // 4 * 4
    c[:] = bias
    for i in range(0, a.shape[0] // 4 * 4, 4):
        a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        c0, c1, c2, c3 = c[i], c[i + 1], c[i + 2], c[i + 3]
        for p in range(0, whole, 4):
            b0, b1, b2, b3 = b[p], b[p + 1], b[p + 2], b[p + 3]
            s0, s1, s2, s3 = a0[p], a0[p + 1], a0[p + 2], a0[p + 3]
            t0, t1, t2, t3 = a1[p], a1[p + 1], a1[p + 2], a1[p + 3]
            u0, u1, u2, u3 = a2[p], a2[p + 1], a2[p + 2], a2[p + 3]
            v0, v1, v2, v3 = a3[p], a3[p + 1], a3[p + 2], a3[p + 3]
            for j in range(c0.shape[0]):
                w0, w1, w2, w3 = b0[j], b1[j], b2[j], b3[j]
                c0[j] = c0[j] + s0 * w0 + s1 * w1 + s2 * w2 + s3 * w3
                c1[j] = c1[j] + t0 * w0 + t1 * w1 + t2 * w2 + t3 * w3
                c2[j] = c2[j] + u0 * w0 + u1 * w1 + u2 * w2 + u3 * w3
                c3[j] = c3[j] + v0 * w0 + v1 * w1 + v2 * w2 + v3 * w3
        for p in range(whole, inner):
            s0, t0, u0, v0, b0 = a0[p], a1[p], a2[p], a3[p], b[p]
            for j in range(c0.shape[0]):
                c0[j] += s0 * b0[j]
                c1[j] += t0 * b0[j]
                c2[j] += u0 * b0[j]
                c3[j] += v0 * b0[j]
    for i in range(a.shape[0] // 4 * 4, a.shape[0]):
        row, total = a[i], c[i]
        for p in range(0, whole, 4):
            b0, b1, b2, b3 = b[p], b[p + 1], b[p + 2], b[p + 3]
            s0, s1, s2, s3 = row[p], row[p + 1], row[p + 2], row[p + 3]
            for j in range(total.shape[0]):
                total[j] = total[j] + s0 * b0[j] + s1 * b1[j] + s2 * b2[j] + s3 * b3[j]
        for p in range(whole, inner):
            s0, b0 = row[p], b[p]
            for j in range(total.shape[0]):
                total[j] += s0 * b0[j]


@compiled(types.void(MATRIX, MATRIX, WRITTEN), fastmath=_FAST, error_model="numpy")
def normalise(x, parts, y):
    """y = gain * (x - mean x) / sqrt(var x + 1e-6) + offset per row; ``parts`` is gain, offset."""
    gain, offset = parts[0], parts[1]
    for i in range(x.shape[0]):
        row, out = x[i], y[i]
        mean, variance = np.float32(0), np.float32(0)
        for j in range(row.shape[0]):
            mean += row[j]
        mean /= np.float32(row.shape[0])
        for j in range(row.shape[0]):
            variance += (row[j] - mean) * (row[j] - mean)
        scale = np.float32(1) / np.sqrt(variance / np.float32(row.shape[0]) + _EPSILON)
        for j in range(row.shape[0]):
            out[j] = (row[j] - mean) * scale * gain[j] + offset[j]


@compiled(types.void(WRITTEN, F4), fastmath=_FAST, error_model="numpy")
def scale_to_unit(x, shortest):
    """Divide each row by its length, or by the root of ``shortest`` where that is more."""
    for i in range(x.shape[0]):
        row = x[i]
        squares = np.float32(0)
        for j in range(row.shape[0]):
            squares += row[j] * row[j]
        factor = np.float32(1) / np.sqrt(max(squares, shortest))
        for j in range(row.shape[0]):
            row[j] *= factor


@compiled(types.void(MATRIX, I8, array(F4, 3, written=True)))
def by_head(x, begin, heads):
    """Copy columns from ``begin`` on of ``[n, d]`` to ``[heads, n, d / heads]``."""
    width = heads.shape[2]
    for head in range(heads.shape[0]):
        at = begin + head * width
        for i in range(x.shape[0]):
            for j in range(width):
                heads[head, i, j] = x[i, at + j]


@compiled(types.void(MATRIX, I8, array(F4, 3, written=True)))
def by_head_transposed(x, begin, heads):
    """The same to ``[heads, d / heads, padded n]``."""
    width = heads.shape[1]
    for head in range(heads.shape[0]):
        at = begin + head * width
        for i in range(x.shape[0]):
            for j in range(width):
                heads[head, j, i] = x[i, at + j]
